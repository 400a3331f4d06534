import Configuration
import Settings
import Testing

@Test("the resolved YAML reads back to the same configuration, byte for byte but its sources")
func roundTrip() throws {
  let original = try resolve(
    """
    model: bpr
    learning_rate: 1e-05
    reg_weight: 0.1
    seed: 9223372036854775807
    topk: [10, 7]
    selection_metric: MAP@7
    stochastic: off
    mi_estimator: infonce
    adam_epsilon: 1e-20
    modalities: ['no:null', "t:a \\"b\\" \\\\ c: #d\\n\\u2028é", 'x_1:~', 'y: z ']
    """)
  let again = try resolve(original.resolvedYAML())
  #expect(again == original)
  #expect(again.digest == original.digest)
  #expect(again.training.learningRate == 1e-5)
  #expect(again.data.modalities == original.data.modalities)
  #expect(again.data.modalities[1].file == "a \"b\" \\ c: #d\n\u{2028}é")
}

@Test("every key has a line in the resolved YAML with the source of its value")
func resolvedYAML() throws {
  let yaml = try resolver.resolve(requested: [
    ConfigurationLayer(yaml: "seed: 7", label: "odd\nname.yaml"),
    ConfigurationLayer(assignment: "epochs=3"),
  ]).resolvedYAML()
  let lines = yaml.split(separator: "\n")
  #expect(lines.contains("seed: 7  # odd?name.yaml:1:7"))
  #expect(lines.contains("epochs: 3  # --set epochs=3"))
  #expect(lines.contains("objective: mrdib  # built-in default"))
  for key in ConfigurationKeys.all {
    #expect(lines.count { $0.hasPrefix("\(key.name): ") } == 1, "\(key.name)")
  }
}

@Test("configurations differ if a value does, whatever its source")
func equality() throws {
  #expect(try resolve("seed: 999") == resolver.resolve(requested: []))
  #expect(try resolve("seed: 998") != resolver.resolve(requested: []))
}

@Test("the digest is the same in every process and version that trains the same")
func digestValue() throws {
  // Changes only if a default or the meaning of a setting does: then old runs are not comparable.
  #expect(try resolver.resolve(layers: []).digest == "9a4dd574394b5174")
}

@Test(
  "the digest changes with what influences the result, and with nothing else",
  arguments: [
    ("seed=1", true), ("shards=3", true), ("alpha1=0.2", true), ("model=bpr", true),
    ("workers=7", false), ("node_timeout_ms=20000", false), ("mi_temperature=0.5", false),
    ("evaluation_block_users=64", false), ("seed=999", false), ("consistency=ssp", true),
    ("consistency=async", true), ("staleness_bound=4", false),
  ])
func digest(assignment: String, changes: Bool) throws {
  let before = try resolver.resolve(requested: []).digest
  #expect((try resolve(setting: assignment).digest != before) == changes)
}

@Test("a path with a star resolves to itself: what is written is no alias when it is read")
func star() throws {
  let resolved = try resolve(
    #"""
    data: "/data/a \u002ab/x"
    modalities: ["visual:\u002aa.npy"]
    """#)
  let again = try resolver.resolve(layers: [
    ConfigurationLayer(yaml: resolved.resolvedYAML(), label: "resolved")
  ])
  #expect(again == resolved && again.data.modalities.map(\.file) == ["*a.npy"])
}

@Test("a contradiction is a short sentence, however long the values are")
func longContradiction() throws {
  let topk = Array(repeating: "10", count: 2000).joined(separator: ", ")
  let sentence = try message(of: "topk: [\(topk)]")
  #expect(sentence.contains("selection_metric") && sentence.count < 400, "\(sentence)")
}

@Test(
  "the layers of a graph model change its digest",
  arguments: ["lightgcn", "freedom", "mgcn", "soil"])
func layers(model: String) throws {
  let digests = try [1, 2].map { count in
    try ConfigurationResolver(modelNames: [model]).resolve(
      layers: [
        ConfigurationLayer(yaml: "model: \(model)\nn_layers: \(count)", label: "run.yaml")
      ]
    ).digest
  }
  #expect(digests[0] != digests[1])
}

@Test("a bound of staleness counts with ssp alone; elsewhere a warning says that it has no effect")
func stalenessBound() throws {
  let bounded = try resolve(setting: "consistency=ssp", "staleness_bound=4")
  #expect(bounded.training.stalenessBound == 4)
  #expect(try bounded.digest != resolve(setting: "consistency=ssp").digest)
  #expect(
    try resolve(setting: "staleness_bound=4").settingsWithoutEffect == [
      "--set staleness_bound=4: staleness_bound has no effect; it is only used with consistency ssp."
    ])
  let word = try message(of: "consistency: eventual")
  #expect(word.contains("consistency") && word.contains("bsp") && word.contains("async"))
  let number = try message(of: "consistency: ssp\nstaleness_bound: -1")
  #expect(number.contains("staleness_bound") && number.contains("from 0 to 64"))
}

@Test("settings that nothing uses are reported, with what would use them")
func settingsWithoutEffect() throws {
  let configuration = try resolve(setting: "objective=plain", "alpha1=0.1", "adam_mode=dense")
  #expect(
    configuration.settingsWithoutEffect == [
      "--set alpha1=0.1: alpha1 has no effect; it is only used with objective mrdib."
    ])
  #expect(try resolve(setting: "alpha1=0.1").settingsWithoutEffect.isEmpty)
  // What comes with the program for SOIL, for its use with MRdIB.
  let plain = try ConfigurationResolver(modelNames: ["soil"]).resolve(
    requested: [ConfigurationLayer(yaml: "model: soil\nobjective: plain", label: "run.yaml")])
  #expect(plain.model.objective == .plain && plain.settingsWithoutEffect.isEmpty)
}

@Test("the explanation has a line per key with value, source and purpose")
func explanation() throws {
  let lines = try resolve(setting: "lr=0.01", "optimizer=sgd").explain()
  #expect(lines.count == ConfigurationKeys.all.count)
  #expect(lines.contains { $0.hasPrefix("learning_rate = 0.01 (--set lr=0.01) — Step size") })
  #expect(lines.contains { $0.contains("adam_mode") && $0.contains("no effect: only with") })
}
