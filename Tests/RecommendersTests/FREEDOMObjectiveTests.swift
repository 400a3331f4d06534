import Datasets
import Recommenders
import Settings
import Tables
import Tensors
import TestSupport
import Testing

/// MRdIB on FREEDOM, whose score contains no content.
@Suite struct FREEDOMObjectiveTests {
  private let context = StepContext(seed: 4, epoch: 2, step: 3)

  private func make(_ options: SettingValues<MRdIB.Settings>?) throws -> (
    TrainingModel, GoldenCase.Loaded
  ) {
    let loaded = try BackboneGoldenTests.freedom("given_kept_edges").load()
    let model = TrainingModel(
      backbone: loaded.model.backbone,
      objective: options.map {
        MRdIB(settings: $0, modalities: ["visual", "text"], width: 8)
      }, userCount: loaded.data.userCount, itemCount: loaded.data.itemCount)
    return (model, loaded)
  }

  /// The stored parameters of the backbone, and small random ones for the objective.
  private func parameters(_ model: TrainingModel, _ loaded: GoldenCase.Loaded) -> PlainParameters {
    let own = loaded.model.backbone.tables.count
    let further = model.tables[own...].map {
      randomMatrix($0.rows, $0.width, seed: UInt64($0.width), scale: 0.1)
    }
    return PlainParameters(tables: Array(loaded.parameters.tables[..<own]) + further)
  }

  private static var silent: SettingValues<MRdIB.Settings> {
    var options = SettingValues<MRdIB.Settings>()
    options.bottleneckWeight = 0
    options.redundancyWeight = 0
    options.uniqueWeight = 0
    options.isStochastic = false
    return options
  }

  @Test("all weights 0 and no sampling: the bits of plain FREEDOM")
  func switchedOff() throws {
    let (plain, loaded) = try make(nil)
    let (with, _) = try make(Self.silent)
    let left = parameters(plain, loaded).gradients(plain, loaded.data.batch, context: context)
    let right = parameters(with, loaded).gradients(with, loaded.data.batch, context: context)
    #expect(left.shares == right.shares)
    for table in plain.backbone.tables.indices {
      #expect(
        Array(left.gradients[table].elements) == Array(right.gradients[table].elements))
    }
  }

  @Test("the joint likelihood uses the modalities' mean, and its weight is α₃")
  func jointTerm() throws {
    var options = Self.silent
    options.uniqueWeight = 0.25
    let (model, loaded) = try make(options)
    let batch = loaded.data.batch
    let result = parameters(model, loaded).gradients(model, batch, context: context)
    let term = try #require(result.loss.terms.first { $0.name == "joint" })
    #expect(term.weight == 0.25)
    #expect(term.gradientWeight == 0.25)

    // The same by hand, from the stored training vectors of users.
    let users = try loaded.golden.matrix("cases/given_kept_edges/train_user")
    func content(_ features: Int) -> Matrix {
      let tape = Tape()
      let tables = loaded.parameters.tables.map { tape.constant($0) }
      let projected = tape.linear(
        tables[features], tables[features + 1], bias: tables[features + 2]
      ).value
      let result = Matrix(rows: projected.rows, columns: projected.columns)
      result.copy(from: projected)
      return result
    }
    let (visual, text) = (content(2), content(5))
    let tape = Tape()
    let margins = tape.matrix(rows: batch.count, columns: 1)
    for triplet in 0..<batch.count {
      var margin: Float = 0
      for column in 0..<8 {
        let (positive, negative) = (
          Int(batch.positives[triplet]), Int(batch.negatives[triplet])
        )
        margin +=
          users[Int(batch.users[triplet]), column]
          * (visual[positive, column] - visual[negative, column]
            + text[positive, column] - text[negative, column]) / 2
      }
      margins.pointer[triplet] = margin
    }
    let expected = tape.rankingLoss(
      tape.constant(margins), form: .softplus, count: batch.count
    ).scalar
    #expect(abs(term.variable.scalar - expected) < 1e-5)
  }

  @Test("extra synergy weight applies to the joint likelihood, not to the ranking without content")
  func synergy() throws {
    var options = Self.silent
    options.synergyWeight = 0.5
    let (model, loaded) = try make(options)
    let result = parameters(model, loaded).gradients(model, loaded.data.batch, context: context)
    #expect(result.loss.terms.first { $0.name == "joint" }?.weight == 0.5)
    #expect(result.loss.terms.first { $0.name == "ranking" }?.weight == 1)
  }

  @Test("all terms on: finite, a gradient for every table but the biases, whose gradient is 0")
  func everyTableTrains() throws {
    var options = SettingValues<MRdIB.Settings>()
    options.store[DonskerVaradhanEstimator.Settings.self].skipsNegative = false
    let (model, loaded) = try make(options)
    let result = parameters(model, loaded).gradients(model, loaded.data.batch, context: context)
    #expect(result.shares.values.allSatisfy { $0.isFinite })
    for (spec, gradient) in zip(model.tables, result.gradients) where spec.parameterCount > 0 {
      let isBias = spec.name.hasPrefix("projection.") && spec.name.hasSuffix(".bias")
      #expect(gradient.elements.contains { $0 != 0 } == !isBias, "\(spec.name)")
    }
  }
}
