import Datasets
import Recommenders
import Settings
import Tables
import Tensors
import TestSupport
import Testing

/// MRdIB whose backbone scores the means, on all backbones with content.
@Suite struct RankedMeansTests {
  static let cases =
    BackboneGoldenTests.cases.filter {
      $0.file == "vbpr" || $0.folder == "cases/given_kept_edges"
    } + MultiViewGoldenTests.cases + [MMGCNTests.faithful, DualGNNTests.cases[0]]

  /// What `mrdib_form gated` stands for, with a linear decoder and head if asked.
  static func gated(
    _ change: (inout SettingValues<MRdIB.Settings>) -> Void = { _ in }
  ) -> SettingValues<MRdIB.Settings> {
    var options = SettingValues<MRdIB.Settings>()
    options.ranked = .means
    options.codeScale = .relative
    options.likelihood = .candidates
    options.isGated = true
    options.synergyWeight = 1
    options.bottleneckWeight = 0.01
    options.redundancyWeight = 0
    options.uniqueWeight = 0.2
    options.store[DonskerVaradhanEstimator.Settings.self].skipsNegative = false
    change(&options)
    return options
  }

  private func gradients(
    _ test: GoldenCase, _ options: SettingValues<MRdIB.Settings>, features: [FeatureMatrix]? = nil,
    change: (TrainingModel, PlainParameters) -> Void = { _, _ in }
  ) throws -> (result: (loss: Loss, shares: [String: Double], gradients: [Matrix]), TrainingModel) {
    let loaded = try test.load()
    let model = TrainingModel(
      backbone: loaded.model.backbone,
      objective: MRdIB(settings: options, modalities: loaded.data.features.map(\.name), width: 8),
      userCount: loaded.data.userCount, itemCount: loaded.data.itemCount)
    let own = loaded.model.backbone.tables.count
    let further = model.tables[own...].map {
      $0.parameterCount == 0
        ? Matrix(rows: $0.rows, columns: $0.width)
        : randomMatrix($0.rows, $0.width, seed: UInt64($0.width), scale: 0.1)
    }
    let parameters = PlainParameters(
      tables: Array(loaded.parameters.tables[..<own]) + further)
    change(model, parameters)
    return (parameters.gradients(model, loaded.data.batch, context: loaded.context), model)
  }

  @Test("all weights 0: the bits of the plain backbone, noise and gate or not", arguments: cases)
  func switchedOff(test: GoldenCase) throws {
    let plain = try test.load().gradients()
    let (result, _) = try gradients(
      test,
      Self.gated {
        $0.synergyWeight = 0
        $0.bottleneckWeight = 0
        $0.uniqueWeight = 0
      })
    #expect(result.shares["total"] == plain.shares["total"])
    for (index, name) in test.names.enumerated() {
      #expect(elements(result.gradients[index]) == elements(plain.gradients[index]), "\(name)")
    }
    #expect(result.loss.statistics["sigma.visual"] != nil)
  }

  @Test(
    "the backbone's own terms keep their values, all others are auxiliary, and the gate knows ρ",
    arguments: cases)
  func auxiliary(test: GoldenCase) throws {
    let plain = try test.load().gradients()
    let (result, _) = try gradients(
      test,
      Self.gated {
        $0.redundancyWeight = 0.1
        $0.gateLimit = 0.5
      })
    let own = result.loss.terms.filter { !$0.isAuxiliary }
    #expect(own.map(\.name) == plain.loss.terms.map(\.name))
    for term in own { #expect(result.shares[term.name] == plain.shares[term.name]) }
    let added = Set(result.loss.terms.filter(\.isAuxiliary).map(\.name))
    #expect(
      added == [
        "kl.visual", "kl.text", "unique.visual", "unique.text", "joint", "redundancy.visual-text",
        "discriminator",
      ])
    let gate = try #require(result.loss.gate)
    #expect(gate.limit == 0.5 && gate.boundary.count == 2)
    #expect(gate.boundary.allSatisfy { $0.columns == 8 })
    let open = try gradients(test, Self.gated { $0.isGated = false })
    #expect(open.result.loss.gate == nil)
  }

  @Test(
    "without noise, the joint likelihood of pairs is that of the backbone's own scores",
    arguments: cases)
  func fusedMeans(test: GoldenCase) throws {
    let (result, _) = try gradients(
      test,
      Self.gated {
        $0.isStochastic = false
        $0.bottleneckWeight = 0
        $0.likelihood = .bpr
      }
    ) { model, parameters in
      // In FREEDOM's own scores the content has no part, and a constant one cancels.
      for (spec, table) in zip(model.tables, parameters.tables)
      where test.file == "freedom" && spec.name.hasPrefix("projection.") { table.fill(0) }
    }
    let (joint, ranking) = (result.shares["joint"] ?? .nan, result.shares["ranking"] ?? .nan)
    #expect(abs(joint - ranking) < 1e-6 * ranking)
  }

  @Test("every part has a gradient where it should, in every combination", arguments: cases)
  func combinations(test: GoldenCase) throws {
    for likelihood in LikelihoodChoice.allCases {
      for (isStochastic, bottleneck) in [(true, 0.01), (true, 0), (false, 0.01), (false, 0)] {
        let options = Self.gated {
          $0.likelihood = likelihood
          $0.isStochastic = isStochastic
          $0.bottleneckWeight = bottleneck
          $0.redundancyWeight = 0.05
          $0.head = .linear
          $0.decoder = .linear
        }
        let (result, model) = try gradients(test, options)
        let name = "\(likelihood), noise \(isStochastic), KL \(bottleneck)"
        #expect(result.shares.values.allSatisfy { $0.isFinite }, "\(name)")
        for (spec, gradient) in zip(model.tables, result.gradients)
        where spec.name.hasPrefix("mrdib.") && spec.parameterCount > 0 {
          let isEncoder = spec.name.contains(".logvar.")
          let trains = !isEncoder || isStochastic || bottleneck > 0
          #expect(
            elements(gradient).contains { $0 != 0 } == trains, "\(name): \(spec.name)")
        }
      }
    }
  }

  @Test("the same vectors a thousand times smaller: the same divergence and relative noise")
  func scaleFree() throws {
    var found: [[Double]] = []
    for scale: Float in [1, 1e-3] {
      let (result, _) = try gradients(Self.cases[0], Self.gated()) { model, parameters in
        for (spec, table) in zip(model.tables, parameters.tables)
        where spec.name.hasPrefix("projection.") {
          for index in 0..<table.count { table.pointer[index] *= scale }
        }
      }
      let statistics = result.loss.statistics
      found.append(
        ["kl.visual", "kl.text", "unique.visual", "unique.text"].map { result.shares[$0] ?? .nan }
          + ["sigma.visual", "sigma.text"].map { statistics[$0] ?? .nan })
      let rms = try #require(statistics["rms.visual"])
      #expect(scale == 1 ? rms > 0.01 : rms < 0.01)
    }
    for (left, right) in zip(found[0], found[1]) { #expect(abs(left - right) < 1e-5 * abs(left)) }
  }

  @Test("gradients of everything that does not move the codes' scale, by finite differences")
  func differences() throws {
    let options = Self.gated { $0.store[CandidateSettings.self].anchors = 4 }
    /// With log-variances below the upper end of their range, where their gradient jumps.
    func shares(
      _ move: (TrainingModel, PlainParameters) -> Void
    ) throws -> (result: (loss: Loss, shares: [String: Double], gradients: [Matrix]), TrainingModel)
    {
      try gradients(Self.cases[0], options) { model, parameters in
        for (spec, table) in zip(model.tables, parameters.tables)
        where spec.name.hasSuffix(".logvar.bias") {
          for index in 0..<table.count { table.pointer[index] -= 3 }
        }
        move(model, parameters)
      }
    }
    let (result, model) = try shares { _, _ in }
    let moved = model.tables.indices.filter {
      ["user", "item"].contains(model.tables[$0].name) || model.tables[$0].name.contains(".logvar.")
    }
    #expect(moved.count == 6)
    for table in moved {
      let spec = model.tables[table]
      let direction = randomMatrix(spec.rows, spec.width, seed: 12)
      func total(_ distance: Float) throws -> Double {
        let moved = try shares { _, parameters in
          BLAS.accumulate(
            direction.pointer, scaledBy: distance, into: parameters.tables[table].pointer,
            count: direction.count)
        }
        return moved.result.shares["total"] ?? .nan
      }
      let numeric = (try total(3e-3) - total(-3e-3)) / 6e-3
      let analytic = zip(elements(result.gradients[table]), elements(direction))
        .reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
      #expect(abs(numeric - analytic) < 5e-3 * max(abs(analytic), 0.1), "\(spec.name)")
    }
  }

  @Test("the divergence is that of the means over their root mean square, with σ in that unit")
  func divergence() throws {
    let (result, model) = try gradients(Self.cases[0], Self.gated { $0.uniqueWeight = 0 }) {
      model, parameters in
      for (spec, table) in zip(model.tables, parameters.tables)
      where spec.name.contains(".logvar.") {
        table.fill(spec.name.hasSuffix("bias") ? -1 : 0)
      }
    }
    #expect(model.tables.contains { $0.name == "mrdib.visual.logvar.bias" })
    // ½ mean(μ²/s² + e^−1 − 1 + 1), and the mean of μ²/s² is 1.
    let expected = 0.5 * (1 + 0.36787944117)
    for name in ["visual", "text"] {
      #expect(abs((result.shares["kl.\(name)"] ?? .nan) - expected) < 1e-5)
      #expect(abs((result.loss.statistics["sigma.\(name)"] ?? .nan) - 0.60653066) < 1e-5)
    }
  }
}
