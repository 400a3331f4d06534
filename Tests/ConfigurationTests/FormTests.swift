import Configuration
import Recommenders
import Settings
import Testing

@Test("a form of the objective is a layer below the user's settings, with its own source")
func formLayer() throws {
  let gated = try resolve("mrdib_form: gated\nalpha3: 0.05\n")
  #expect(gated.mrdib.ranked == .means && gated.mrdib.codeScale == .relative)
  #expect(gated.mrdib.likelihood == .candidates && gated.mrdib.isGated)
  #expect(gated.mrdib.synergyWeight == 1 && gated.mrdib.bottleneckWeight == 0.1)
  #expect(gated.mrdib.redundancyWeight == 0 && gated.mrdib.gateLimit == 1)
  #expect(gated.mrdib.uniqueWeight == 0.05)
  #expect(gated.source(of: "alpha3")?.description == "run.yaml:2:9")
  #expect(gated.source(of: "ranked")?.label == "built-in mrdib_form/gated.yaml")
  #expect(gated.settingsWithoutEffect.isEmpty)
}

@Test("the gated form is the default")
func defaultForm() throws {
  #expect(try resolve("seed: 999").mrdib.form == .gated)
  #expect(try resolve("seed: 999").digest == resolve("mrdib_form: gated").digest)
}

@Test("published is the keys' own defaults: the settings and the digest of earlier runs")
func publishedForm() throws {
  let published = try resolve("mrdib_form: published")
  let keys = try resolver.resolve(layers: [])
  #expect(published.digest == keys.digest)
  #expect(published.mrdib.ranked == .samples && !published.mrdib.isGated)
  let names = published.decisiveSettings.map(\.name)
  #expect(!names.contains("ranked") && !names.contains("backbone_likelihood"))
}

@Test(
  "what a form stands for counts in the digest, and its name does not",
  arguments: ["ranked=means", "code_scale=relative", "gate=true", "backbone_likelihood=candidates"])
func decisiveChoices(assignment: String) throws {
  let published = "mrdib_form=published"
  #expect(
    try resolve(setting: published, assignment).digest != resolve(setting: published).digest)
  let form = try resolve(setting: "mrdib_form=gated")
  let written = try resolve(
    setting: "ranked=means", "code_scale=relative", "likelihood=candidates", "gate=true",
    "synergy_weight=1", "alpha1=0.1", "alpha2=0", "alpha3=0.2")
  #expect(form.digest == written.digest)
}

@Test(
  "a form reads back from the resolved configuration, above what a model brings",
  arguments: ["soil", "mmgcn", "vbpr"])
func formRoundTrip(model: String) throws {
  let resolver = ConfigurationResolver(modelNames: [model])
  let gated = try resolver.resolve(
    requested: [ConfigurationLayer(yaml: "model: \(model)\nmrdib_form: gated", label: "a.yaml")])
  #expect(gated.mrdib.deviation == .unit)
  let again = try resolver.resolve(
    layers: [ConfigurationLayer(yaml: gated.resolvedYAML(), label: "resolved")])
  #expect(again == gated && again.digest == gated.digest)
  let published = try resolver.resolve(
    requested: [ConfigurationLayer(yaml: "model: \(model)\nmrdib_form: published", label: "a.yaml")]
  )
  #expect((published.mrdib.deviation == .relative) == (model != "vbpr"))
}

@Test(
  "settings of absolute codes are refused with relative ones, in words",
  arguments: ["prior: matched", "sigma_init: relative"])
func absoluteOnly(line: String) throws {
  let name = line.prefix { $0 != ":" }
  let sentence = try message(of: "mrdib_form: gated\n\(line)")
  #expect(sentence.hasPrefix("run.yaml:2:"), "\(sentence)")
  #expect(sentence.contains("\(name) (") && sentence.contains("code_scale (relative"))
  #expect(sentence.contains("is for absolute codes"))
  #expect(try resolve("code_scale: absolute\nmrdib_form: gated\n\(line)").mrdib.isGated)
  #expect(try resolve("objective: plain\nmrdib_form: gated\n\(line)").model.objective == .plain)
}

@Test("settings of choices have an effect where choices are made")
func choices() throws {
  let plain = try resolve("objective: plain\nbackbone_likelihood: candidates\nanchors: 64")
  #expect(plain.candidates.backboneLikelihood == .candidates)
  #expect(plain.settingsWithoutEffect.isEmpty)
  let unused = try resolve("mrdib_form: published\nanchors: 64\ngate_limit: 0.3")
    .settingsWithoutEffect
  #expect(unused.count == 2)
  #expect(unused.contains { $0.contains("only used with likelihood candidates") })
  #expect(unused.contains { $0.contains("gate true") })
}
