import Datasets
import TestSupport
import Testing

@Suite("data set descriptions")
struct DatasetDescriptionTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder(name: "shop")
    for file in ["shop.inter", "image_feat.npy", "text_feat.npy"] { try folder.write("", to: file) }
  }

  private func refusal(_ yaml: String) throws -> DatasetError {
    try folder.write(yaml, to: "dataset.yaml")
    return problem { try DatasetDescription.read(folder: folder.path) }
  }

  @Test("a folder without a description follows MMRec's conventions")
  func followsConventions() throws {
    let description = try DatasetDescription.read(folder: folder.path)
    #expect(description.name == "shop" && description.interactionsFile == "shop.inter")
    #expect(description.modalities == ModalityDescription.standard)
    #expect(description.modalities.map(\.name) == ["visual", "text"])
    #expect(description.path(of: "x") == folder.path("x"))
    #expect(description.path(of: "/x") == "/x")
  }

  @Test("only modalities whose file exists are assumed")
  func assumesExistingFiles() throws {
    let other = try TemporaryFolder(name: "data")
    try other.write("", to: "only.inter")
    try other.write("", to: "text_feat.npy")
    let description = try DatasetDescription.read(folder: other.path)
    #expect(description.name == "only")
    #expect(description.modalities == [.init(name: "text", file: "text_feat.npy")])
  }

  @Test("the file named after the folder is preferred; without it, several are an error")
  func choosesInteractions() throws {
    try folder.write("", to: "old.inter")
    #expect(
      try DatasetDescription.read(folder: folder.path + "/").interactionsFile == "shop.inter")
    let other = try TemporaryFolder(name: "data")
    expect(problem { try DatasetDescription.read(folder: other.path) }, says: "no .inter file")
    try other.write("", to: "a.inter")
    try other.write("", to: "b.inter")
    expect(
      problem { try DatasetDescription.read(folder: other.path) }, says: "2 .inter files",
      "a.inter, b.inter", "interactions: a.inter")
  }

  @Test("dataset.yaml replaces what it names and leaves the rest")
  func readsDescription() throws {
    try folder.write(
      """
      # three modalities
      name: shop-2024
      modalities:
        - {name: visual, file: image_feat.npy}
        - {name: audio, file: whisper_feat.npy}
        - name: text
          file: text_feat.npy
      """, to: "dataset.yaml")
    let description = try DatasetDescription.read(folder: folder.path)
    #expect(description.name == "shop-2024" && description.interactionsFile == "shop.inter")
    #expect(description.modalities.map(\.name) == ["visual", "audio", "text"])
    let chosen = [ModalityDescription(name: "audio", file: "a.npy")]
    #expect(
      try DatasetDescription.read(folder: folder.path, modalities: chosen).modalities == chosen)
  }

  @Test("an empty description changes nothing", arguments: ["", "# nothing\n", "~\n"])
  func readsEmptyDescription(yaml: String) throws {
    try folder.write(yaml, to: "dataset.yaml")
    #expect(try DatasetDescription.read(folder: folder.path).name == "shop")
  }

  @Test("an unknown key is named with its line and the nearest match")
  func namesUnknownKeys() throws {
    let error = try refusal("name: shop\n\nmodalites: []\n")
    #expect(error.line == 3)
    expect(error, says: "dataset.yaml:3", "'modalites'", "did you mean 'modalities'?")
    let nested = try refusal("modalities:\n  - name: a\n    flie: b\n")
    #expect(nested.line == 3)
    expect(nested, says: "'flie'", "did you mean 'file'?")
    expect(try refusal("colour: red\n"), says: "known are name, interactions, modalities")
  }

  @Test("wrong values are named with their line")
  func namesWrongValues() throws {
    expect(try refusal("modalities: visual\n"), says: "dataset.yaml:1", "list")
    expect(try refusal("modalities:\n  - name: a\n"), says: "dataset.yaml:2", "both name and file")
    expect(try refusal("name: [a]\n"), says: "dataset.yaml:1", "'name' must be a text")
    expect(try refusal("- a\n"), says: "expected keys")
    expect(try refusal("name: 'a\n"), says: "dataset.yaml:", "not valid YAML")
    expect(
      try refusal("modalities: [{name: a, file: x}, {name: a, file: y}]\n"), says: "'a' twice")
    expect(try refusal("modalities: [{name: 'a/b', file: x}]\n"), says: "'a/b'", "letters")
  }

  @Test("aliases, of which a few lines can stand for billions of values, are refused")
  func refusesAliases() throws {
    let error = try refusal("name: &a shop\ninteractions: *a\n")
    #expect(error.line == 2)
    expect(error, says: "uses a YAML alias", "write the value")
  }

  @Test("text quoted from the file is made safe for a terminal")
  func quotesHarmlessly() throws {
    for yaml in [
      "\"a\\e[2J\": 1", "modalities: [{name: \"a\\e\", file: b}]", "{\"\\e\": 1, \"\\e\": 2}",
    ] {
      let message = try refusal(yaml).message
      #expect(message.utf8.allSatisfy { $0 >= 0x20 }, "\(message)")
    }
  }

  @Test("a folder that does not exist, or is a file, is an error")
  func refusesOtherPlaces() throws {
    #expect(problem { try DatasetDescription.read(folder: "/nowhere") }.kind == .notFound)
    expect(
      problem { try DatasetDescription.read(folder: folder.path("shop.inter")) }, says: "is a file")
  }
}
