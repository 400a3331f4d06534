import Configuration
import Foundation
import Settings
import Testing

@Test(
  "a misspelt key is an error with its place and the nearest key",
  arguments: [
    ("learnin_rate", "learning_rate"), ("epoch", "epochs"), ("regweight", "reg_weight"),
    ("topK", "topk"), ("apha1", "alpha1"), ("valid_metrics", "valid_metric"),
  ])
func misspeltKeys(written: String, meant: String) throws {
  let message = try message(of: "# one\nseed: 1\n\(written): 3\n")
  #expect(
    message
      == "run.yaml:3:1: there is no setting '\(written)'; did you mean '\(meant)'?")
}

@Test("a key that resembles no other gets no suggestion; a group is refused with advice")
func unknownKeys() throws {
  #expect(try message(of: "wibblewobble: 1").hasSuffix("no setting 'wibblewobble'"))
  #expect(try message(of: "optimization_options:\n  seed: 1").contains("not inside of groups"))
}

@Test("a repeated key is an error with its place")
func duplicateKeys() throws {
  let message = try message(of: "seed: 1\nepochs: 2\nseed: 3\n")
  #expect(message.contains("run.yaml:1:1") && message.contains("'seed' is given more than once"))
}

@Test("a key and its alias in one file are the same key twice")
func duplicateByAlias() throws {
  let message = try message(of: "train_batch_size: 64\nbatch_size: 64\n")
  #expect(message.hasPrefix("run.yaml:2:1: 'batch_size' and 'train_batch_size' (run.yaml:1:1)"))
}

@Test(
  "text that is no flat YAML mapping is refused with its place",
  arguments: ["- a\n- b\n", "word", "a: [1\n", "a: 'b\n", "a: 1\n\tb: 2\n", "? [a]\n: b", "%x\n"])
func malformedYAML(text: String) throws {
  #expect(try message(of: text).hasPrefix("run.yaml:"))
}

@Test("no truncation of a configuration traps; each resolves or is refused")
func truncations() throws {
  let text = Array(
    """
    topk: [5, 20]
    modalities: ["visual:a\\u0041.npy"]
    model: &m vbpr
    compat: !!str none
    """.utf8)
  for length in 0...text.count {
    do { _ = try resolve(String(decoding: text.prefix(length), as: UTF8.self)) } catch {
      #expect(error is ConfigurationError)
    }
  }
}

@Test("deep nesting is refused, not followed")
func deepNesting() throws {
  let brackets = String(repeating: "[", count: 20_000)
  #expect(throws: ConfigurationError.self) { try resolve("topk: \(brackets)") }
}

@Test(
  "aliases, which expand a few lines to billions of values, are refused with their place",
  .timeLimit(.minutes(5)))
func aliasesAreRefused() throws {
  #expect(try message(of: "data: &a x\nmodel: *a\n").hasPrefix("run.yaml:2:8: references"))
  let levels = (1..<40).map { "- &l\($0) [*l\($0 - 1), *l\($0 - 1)]\n" }
  let bomb = "? - &l0 x\n" + levels.map { "  \($0)" }.joined() + ": 1\n"
  #expect(try message(of: bomb).hasPrefix("run.yaml:2:"))
}

@Test("text quoted from a file cannot control the terminal")
func controlCharacters() throws {
  let long = String(repeating: "x", count: 5000)
  let cases = [
    "\"a\\e[2J\": 1", "epochs: \"a\\e[2J\"", "model: \"a\\e[2J\"", "\(long): 1",
    "model: \(long)", "{\"\\e\": 1, \"\\e\": 2}",
  ]
  for yaml in cases {
    let message = try message(of: yaml)
    #expect(message.utf8.allSatisfy { $0 >= 0x20 } && message.count < 1000, "\(message)")
  }
  let error = try #require(throws: ConfigurationError.self) {
    try resolve(setting: "selection_metric=recall@1\n\u{1B}")
  }
  #expect(error.description.utf8.allSatisfy { $0 >= 0x20 })
}

@Test("errors of an assignment name it as it was given")
func assignments() throws {
  let cases = [
    ("epochs=ten", "--set epochs=ten: epochs is 'ten'; expected a whole number"),
    ("epoch=3", "--set epoch=3: there is no setting 'epoch'; did you mean 'epochs'?"),
    ("epochs", "--set epochs: expected key=value"), ("=3", "--set =3: expected key=value"),
    ("epochs=", "--set epochs=: epochs has no value"), ("topk=[5", "--set topk=[5:"),
  ]
  for (assignment, message) in cases {
    let error = try #require(throws: ConfigurationError.self) {
      try resolve(setting: assignment)
    }
    #expect(error.description.hasPrefix(message), "\(error)")
  }
}

@Test("an unknown model is refused with the list of known ones")
func unknownModel() throws {
  let message = try message(of: "model: vbrp")
  #expect(message.contains("run.yaml:1:8"))
  #expect(message.contains("expected one of bpr, vbpr (did you mean 'vbpr'?)"))
}

@Test(
  "settings that contradict each other are refused with both places",
  arguments: [
    (
      "metrics: [ndcg, gini]",
      "selection_metric (recall@20, from built-in default) is not among metrics ([ndcg, gini]"
    ),
    ("topk: [5]", "selection_metric (recall@20, from built-in default) needs 20 in topk ([5]"),
    ("shards: 8\ntrain_batch_size: 4", "train_batch_size (4, from run.yaml:2:19) is below shards"),
    ("logvar_min: 1", "logvar_min (1, from run.yaml:1:13) is not below logvar_max"),
    ("heartbeat_interval_ms: 9000", "node_timeout_ms (15000, from built-in default) is below"),
    ("node_timeout_ms: 600", "is below two intervals of heartbeat_interval_ms (500"),
  ])
func contradictions(yaml: String, expected: String) throws {
  let message = try message(of: yaml)
  #expect(message.hasPrefix("run.yaml:") && message.contains(expected), "\(message)")
}

@Test("the error for an unreadable file names the file and the reason")
func unreadableFiles() throws {
  let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  let binary = folder.appending(path: "binary.yaml")
  try Data([0xFF, 0xFE, 0x00]).write(to: binary)
  let large = folder.appending(path: "large.yaml")
  try Data(repeating: 0x23, count: 1 << 20 + 1).write(to: large)
  let cases = [
    (folder.appending(path: "missing.yaml"), "cannot open"),
    (folder, "it is a folder, not a regular file"),
    (binary, "not UTF-8"), (large, "larger than 1 MiB"),
  ]
  for (file, reason) in cases {
    let error = try #require(throws: ConfigurationError.self) {
      try ConfigurationLayer(file: file.path)
    }
    #expect(error.description.hasPrefix(file.path) && error.description.contains(reason))
  }
}

@Test("a file's values name the file and the line")
func files() throws {
  let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).yaml")
  try Data("# mine\nseed: 7\n".utf8).write(to: file)
  defer { try? FileManager.default.removeItem(at: file) }
  let configuration = try resolver.resolve(requested: [ConfigurationLayer(file: file.path)])
  #expect(configuration.training.seed == 7)
  #expect(configuration.source(of: "seed")?.description == "\(file.path):2:7")
}
