import Configuration
import Settings
import Testing

@Test("no two keys share a name or an alias, and all are snake case")
func names() {
  let names = ConfigurationKeys.all.flatMap { [$0.name] + $0.aliases }
  #expect(Set(names).count == names.count)
  for name in names {
    #expect(name.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "_") })
  }
}

@Test("all sections' keys are in the table")
func completeness() {
  let names = Set(ConfigurationKeys.all.map(\.name))
  let expected = [
    "modalities", "model", "seed", "topk", "alpha1", "mi_estimator", "node_timeout_ms", "compat",
  ]
  #expect(names.isSuperset(of: expected))
}

@Test("every default is allowed by its own key")
func defaultsAreAllowed() throws {
  for key in ConfigurationKeys.all {
    let configuration = try resolve("\(key.name): \(key.anyDefault.yaml)")
    #expect(configuration.source(of: key.name)?.label == "run.yaml")
  }
}

@Test("every key has a purpose of one sentence or more, and the reference shows it")
func reference() throws {
  let reference = KeyReference.all.text
  for key in ConfigurationKeys.all {
    #expect(key.summary.hasSuffix("."), "\(key.name)")
    let value = try #require(try resolver.resolve(requested: []).value(of: key.name))
    #expect(reference.contains("\n  \(key.name): \(value)\n      \(key.summary)\n"))
  }
  #expect(reference.contains("(a number, from 1e-12 to 100; also lr)"))
  #expect(reference.contains("in interactions; also batch_size"))
  #expect(reference.contains("0.05 in the published form"))
}

@Test("settings that a program adds have plain names of their own and defaults that they accept")
func addedSettings() throws {
  func problem(_ settings: Setting<Double>...) -> String? {
    do {
      try ConfigurationKeys.check(settings)
      return nil
    } catch {
      return error.description
    }
  }
  let margin = Setting("margin", default: 1.0, .above(0), help: "A margin.")
  #expect(problem(margin) == nil)
  let spaced = Setting("my margin: x", default: 1.0, .above(0), help: "A margin.")
  #expect(problem(spaced)?.contains("a–z, 0–9 and _") == true)
  let alias = Setting("gap", default: 1.0, .above(0), aliases: ["margin"], help: "A gap.")
  #expect(problem(margin, alias)?.contains("'margin' is declared twice") == true)
  let negative = Setting("margin", default: -1.0, .above(0), help: "A margin.")
  #expect(problem(negative)?.contains("its default -1") == true)
}
