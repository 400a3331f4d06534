import Datasets
import TestSupport
import Testing

@Suite("history of a data set")
struct DatasetHistoryTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder(name: "shop") }

  private func written(_ file: DatasetDescriptionFile) throws -> DatasetDescriptionFile {
    try file.write(to: folder.path)
    return try DatasetDescriptionFile.read(folder: folder.path)
  }

  @Test("a description that is written reads as the same, whatever its texts hold")
  func keepsEverything() throws {
    var file = DatasetDescriptionFile()
    file.name = "shop"
    file.interactions = "shop.inter"
    file.users = "users.tsv"
    file.items = "items.tsv"
    file.modalities = [
      .init(name: "visual", file: "image_feat.npy"),
      .init(name: "text", file: "text_feat.npy", mask: "text_mask.npy", fill: .mean),
    ]
    try file.append(.init("import", ["source": "a: b #c, *d.csv", "null": "null", "seed": "42"]))
    try file.append(
      .init("cleaned-by-hand", ["note": "\"quoted\" \\ ü\n\u{1}\u{FEFF}", "none": ""]))
    try file.append(
      .init("split", ["rule": "random", "ratio": "0.8,0.1,0.1", "-": "- x", "y": "~"]))
    #expect(try written(file) == file)
    try folder.write("", to: "shop.inter")
    let read = try DatasetDescription.read(folder: folder.path)
    #expect(read.history.split?["rule"] == "random")
    #expect(read.history.steps.map(\.name) == ["import", "cleaned-by-hand", "split"])
    #expect(read.usersFile == "users.tsv" && read.modalities == file.modalities)
  }

  @Test("an empty list of modalities is not the same as none")
  func keepsEmptyModalities() throws {
    var file = DatasetDescriptionFile()
    file.modalities = []
    #expect(try written(file).modalities == [])
    #expect(try written(DatasetDescriptionFile()).modalities == nil)
  }

  @Test("plain values are written as other programs read them")
  func writesPlainValues() throws {
    var file = DatasetDescriptionFile()
    try file.append(.init("split", ["rule": "random", "seed": "42", "ratio": "0.8", "on": "yes"]))
    #expect(
      file.text == """
        history:
          - step: split
            rule: random
            seed: 42
            ratio: 0.8
            "on": "yes"

        """)
  }

  @Test("steps of any name are read; values that are not plain, and too many, are refused")
  func bounds() throws {
    func refusal(_ yaml: String) throws -> DatasetError {
      try folder.write(yaml, to: "dataset.yaml")
      return problem { try DatasetDescriptionFile.read(folder: folder.path) }
    }
    expect(try refusal("history: 3\n"), says: "dataset.yaml:1", "list of steps")
    expect(try refusal("history:\n  - rule: x\n"), says: "dataset.yaml:2", "step: NAME")
    expect(try refusal("history:\n  - step: a\n    b: [1]\n"), says: "plain values only")
    let many = String(repeating: "  - step: a\n", count: 257)
    expect(try refusal("history:\n\(many)"), says: "more than the 256 steps")
    let long = String(repeating: "x", count: 5000)
    expect(try refusal("history:\n  - step: \(long)\n"), says: "longer than 4096 bytes")
    expect(
      try refusal("modalities:\n  - {name: a, file: b, fill: median}\n"), says: "zero or mean")
    var file = DatasetDescriptionFile()
    for _ in 0..<256 { try file.append(.init("features", fields: [])) }
    expect(problem { try file.append(.init("features", fields: [])) }, says: "256 steps")
  }
}
