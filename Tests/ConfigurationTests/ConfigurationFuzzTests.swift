import Configuration
import TestSupport
import Testing

/// What must hold of everything that reads settings, whatever is written: it never traps, takes
/// bounded time and memory, refuses with a sentence, and a resolved configuration resolves to
/// itself.
@Suite("Damaged configurations")
struct ConfigurationFuzzTests {
  private static let files = [
    """
    # mine
    model: &m vbpr
    seed: 7
    epochs: 1e3
    topk: [5, 10, 20]
    modalities: ["visual:a\\u0041.npy", text:t.npy]
    selection_metric: NDCG@20
    learning_rate: 1e-3  # slow
    compat: !!str none
    """,
    """
    {model: bpr, "train_batch_size": 64, 'shards': 4, data: "a folder/with: everything",
     optimizer: sgd, adam_beta1: .5, heartbeat_interval_ms: 500}
    """,
    """
    model: bpr
    learning_rate: [1e-3, 1e-4]
    seed: [999, 1, 2]
    hyper_parameters: [learning_rate, seed]
    data: >-
      folded
      text
    """,
    "# nothing\n",
    "objective: mrdib\nmodel: vbpr\nkl_reduction: sum\nlogvar_min: -3\nlogvar_max: 3\n",
  ]

  private static let words =
    InputMutator.yamlWords + ConfigurationKeys.all.map { "\($0.name): " } + [
      "mrdib", "vbpr", "recall@20", "visual:x", "1.5", "hyper_parameters: [seed]\n",
    ]

  private static func verdict(_ body: () throws -> Void) throws -> FuzzedParser.Verdict {
    do {
      try body()
      return .accepted
    } catch let error as ConfigurationError {
      return .refused(error.message)
    }
  }

  /// That what was resolved can be written, explained, and resolved to the same.
  private static func checkStable(_ configuration: RunConfiguration) throws {
    let text = configuration.resolvedYAML()
    let again: RunConfiguration
    do {
      again = try resolver.resolve(layers: [ConfigurationLayer(yaml: text, label: "resolved")])
    } catch {
      throw FuzzFailure("the resolved configuration is refused: \(error)\n\(text)")
    }
    guard again == configuration, again.digest == configuration.digest else {
      throw FuzzFailure("another configuration came out:\n\(text)")
    }
  }

  @Test("files")
  func configurationFiles() throws {
    let file = try MemoryFile("run.yaml")
    let inputs = InputMutator(texts: Self.files, words: Self.words)
    try FuzzRun.run(
      .file("configuration-file", inputs: inputs, rounds: 4000) { bytes in
        try file.write(bytes)
        return try Self.verdict {
          let layer = try ConfigurationLayer(file: file.path)
          try Self.checkStable(resolver.resolve(requested: [layer]))
        }
      })
  }

  @Test("grids")
  func grids() throws {
    let inputs = InputMutator(texts: Self.files, words: Self.words)
    try FuzzRun.run(
      .file("configuration-grid", inputs: inputs, rounds: 6000) { bytes in
        try Self.verdict {
          let text = String(decoding: bytes, as: UTF8.self)
          let layer = try ConfigurationLayer(yaml: text, label: "grid.yaml")
          let grid = try ConfigurationGrid(requested: [layer])
          guard grid.axes.allSatisfy({ !$0.values.isEmpty }) else {
            throw FuzzFailure("an axis without values")
          }
        }
      })
  }

  @Test("assignments")
  func assignments() throws {
    let inputs = InputMutator(
      texts: [
        "learning_rate=1e-3", "topk=[10, 20]", "model=vbpr", "modalities=[visual:x.npy]",
        "data='a=b'", "seed=999", "selection_metric=recall@10", "objective=mrdib",
      ], words: ["="] + InputMutator.yamlWords)
    try FuzzRun.run(
      .file("assignment", inputs: inputs, rounds: 5000) { bytes in
        try Self.verdict {
          let text = String(decoding: bytes, as: UTF8.self)
          let layer = try ConfigurationLayer(assignment: text)
          try Self.checkStable(resolver.resolve(requested: [layer]))
        }
      })
  }
}
