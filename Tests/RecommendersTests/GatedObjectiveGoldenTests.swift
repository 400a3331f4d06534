import Datasets
import Recommenders
import Settings
import Tables
import Tensors
import TestSupport
import Testing

/// The gated objective on a model without and one with a graph, compared with the numbers that
/// `scripts/golden-objective` computes from the equations in double precision.
@Suite struct GatedObjectiveGoldenTests {
  static let backbones =
    BackboneGoldenTests.cases.filter { $0.file == "vbpr" } + [MultiViewGoldenTests.mgcn]

  static let cases = [
    "defaults", "every_part", "few_anchors", "few_candidates", "only_conflicts", "without_gate",
    "without_noise", "pair_likelihood", "label_likelihood", "bottleneck_alone",
    "backbone_candidates",
  ]

  private static let encoders = ["H_v", "h_v", "H_t", "h_t"]

  private struct Computed {
    let golden: Golden
    /// The stored names of the tables, in the model's order.
    let names: [String]
    let loss: Loss
    let shares: [String: Double]
    let gradients: [Matrix]
  }

  private func settings(_ golden: Golden, _ name: String) throws -> SettingValues<MRdIB.Settings> {
    func number(_ key: String) throws -> Double { try golden.number("cases/\(name)/config/\(key)") }
    var options = SettingValues<MRdIB.Settings>()
    options.ranked = .means
    options.codeScale = .relative
    options.likelihood = try #require(
      LikelihoodChoice(rawValue: golden.text("cases/\(name)/config/likelihood")))
    options.isStochastic = try number("stochastic") != 0
    options.isGated = try number("gate") != 0
    options.gateLimit = try number("gate_limit")
    options.synergyWeight = try number("synergy_weight")
    options.bottleneckWeight = try number("alpha1")
    options.redundancyWeight = try number("alpha2")
    options.uniqueWeight = try number("alpha3")
    options.store[CandidateSettings.self].anchors = Int(try number("anchors"))
    options.store[CandidateSettings.self].candidates = Int(try number("candidates"))
    options.store[CandidateSettings.self].temperature = try number("likelihood_temperature")
    options.store[DonskerVaradhanEstimator.Settings.self].hiddenSize = 8
    options.store[DonskerVaradhanEstimator.Settings.self].skipsNegative = false
    return options
  }

  private func compute(_ test: GoldenCase, _ name: String) throws -> Computed {
    let golden = try Golden("mrdib_gated_\(test.file)")
    let stored = try Golden("mrdib_vbpr")
    let loaded = try test.load()
    let options = try settings(golden, name)
    let noise = MRdIBGoldenTests.StoredNoise(
      noise: [try stored.matrix("eps_v"), try stored.matrix("eps_t")],
      items: loaded.data.batch.distinctItems)
    let isReplaced = try golden.text("cases/\(name)/config/backbone_likelihood") == "candidates"
    let model = TrainingModel(
      backbone: loaded.model.backbone,
      objective: MRdIB(
        settings: options, modalities: ["visual", "text"], width: 8, noise: noise),
      backboneCandidates: isReplaced ? CandidateRule(options.store[CandidateSettings.self]) : nil,
      userCount: loaded.data.userCount, itemCount: loaded.data.itemCount)
    var tables = Array(loaded.parameters.tables[..<test.names.count])
    tables += try (Self.encoders + MRdIBGoldenTests.discriminator).map {
      try stored.matrix("params/\($0)")
    }
    tables += model.tables[tables.count...].map { Matrix(rows: $0.rows, columns: $0.width) }
    #expect(zip(tables, model.tables).allSatisfy { $0.rows == $1.rows && $0.columns == $1.width })
    let result = PlainParameters(tables: tables).shardGradients(
      model, loaded.data.batch, context: loaded.context)
    return Computed(
      golden: golden, names: test.names + Self.encoders, loss: result.loss,
      shares: result.shares, gradients: result.gradients)
  }

  @Test("every part of the loss and the total", arguments: backbones, cases)
  func parts(test: GoldenCase, name: String) throws {
    let computed = try compute(test, name)
    let golden = computed.golden
    for (part, found) in computed.shares where part != "discriminator" {
      let stored = try golden.number("cases/\(name)/loss/\(part)")
      // V is a difference of numbers of size one: its error is absolute.
      #expect(abs(found - stored) < 1e-5 * max(abs(stored), 0.1), "\(part): \(found), \(stored)")
    }
    // Terms whose weight is 0 may be left out of the loss; all others are in it.
    let config = "cases/\(name)/config"
    let weights = try [
      "kl.visual": "alpha1", "kl.text": "alpha1", "joint": "synergy_weight",
      "unique.visual": "alpha3", "unique.text": "alpha3", "redundancy.visual-text": "alpha2",
    ].filter { try golden.number("\(config)/\($0.value)") != 0 }.keys
    #expect(Set(computed.shares.keys).isSuperset(of: weights))
  }

  @Test("the gradient of every parameter of the model", arguments: backbones, cases)
  func gradients(test: GoldenCase, name: String) throws {
    let computed = try compute(test, name)
    for (parameter, gradient) in zip(computed.names, computed.gradients) {
      let stored = try computed.golden.matrix("cases/\(name)/grads/\(parameter)")
      let difference = relativeDifference(gradient, stored)
      #expect(difference < 1e-5, "\(parameter): \(difference)")
    }
  }

  @Test("what the gate reports: conflicts, and how much it shortens", arguments: backbones, cases)
  func statistics(test: GoldenCase, name: String) throws {
    let computed = try compute(test, name)
    let stored = try computed.golden.names("cases/\(name)/statistics")
    let found = computed.loss.statistics.filter { $0.key.hasPrefix("gate.") }
    #expect(found.keys.sorted() == stored)
    for (statistic, value) in found {
      let expected = try computed.golden.number("cases/\(name)/statistics/\(statistic)")
      #expect(abs(value - expected) < 1e-5, "\(statistic)")
    }
  }

  @Test("the discriminator ascends, without α₂ and without the gate", arguments: backbones)
  func discriminator(test: GoldenCase) throws {
    let computed = try compute(test, "every_part")
    let gradients = computed.gradients[computed.names.count...]
    for (name, gradient) in zip(MRdIBGoldenTests.discriminator, gradients) {
      let stored = try computed.golden.matrix("cases/every_part/grad_V_phi/\(name)")
      let (found, ascent) = (elements(gradient), elements(stored))
      // b2 moves joint and marginal statistics alike: its gradient is a difference of sums of size
      // one, exact to a few units of Float at that size.
      let size = name == "b2" ? 0.1 : ascent.reduce(0) { max($0, Double(abs($1))) }
      for (left, right) in zip(found, ascent) {
        #expect(abs(Double(left) + Double(right)) < 1e-5 * size, "\(name)")
      }
    }
  }
}
