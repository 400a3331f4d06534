import Datasets
import Tables
import Tensors

/// Users as free vectors and items as a map of their features, on one sphere,
/// `x = rowL2([Φ ; m(F)])`, with one or two layers m:
///
///     m(F) = LReLU(F W₁ᵀ + b₁) W₂ᵀ + b₂,  or  LReLU(F W₁ᵀ + b₁)
///
/// COHESION, MENTOR and VIRAL have several such branches; a branch on id vectors has these as
/// features.
struct PreferenceBranch: Sendable {
  /// Φ, `[U, D]`.
  let preference: Int
  private let hidden: LinearLayer
  /// Nil of a branch with one layer.
  private let output: LinearLayer?

  /// Adds the tables `name.preference`, Xavier normal, `name.hidden.*` and, if the branch is deep,
  /// `name.output.*`, with 4 D numbers between the two layers.
  init(
    _ name: String, userCount: Int, featureWidth: Int, width: Int, isDeep: Bool = true,
    in list: inout TableList
  ) {
    preference = list.add(
      "\(name).preference", rows: userCount, width: width,
      initializer: .xavierNormal(rows: userCount, columns: width))
    hidden = LinearLayer(
      "\(name).hidden", inputs: featureWidth, outputs: isDeep ? 4 * width : width, in: &list)
    output =
      isDeep ? LinearLayer("\(name).output", inputs: 4 * width, outputs: width, in: &list) : nil
  }

  /// m of features `[I, F]`, `[I, D]`.
  func items(on tape: Tape, _ features: Variable, _ parameters: [Variable]) -> Variable {
    let hidden = tape.leakyReLU(hidden.apply(on: tape, features, parameters))
    return output?.apply(on: tape, hidden, parameters) ?? hidden
  }

  /// x, `[U + I, D]`, of the items' vectors `[I, D]`.
  func nodes(on tape: Tape, items: Variable, _ parameters: [Variable]) -> Variable {
    tape.rowL2(tape.concatenateRows([parameters[preference], items]))
  }
}

extension TableList {
  /// Adds vectors of items that are features of a ``PreferenceBranch``, Xavier normal.
  mutating func addIDFeatures(rows: Int, width: Int) -> Int {
    add(
      "item", rows: rows, width: width,
      initializer: .xavierNormal(rows: rows, columns: width))
  }
}

extension Tape {
  /// The regulariser of models with preferences: means of squares of the batch's rows of each Φ,
  /// and of all weights of modalities.
  ///
  /// - Parameters:
  ///   - preferences: the Φ of the modalities, `[U, D]`.
  ///   - weights: `[U, M]`; nil of a model that does not weigh modalities.
  func preferenceRegularizers(
    _ preferences: [Variable], weights: Variable?, batch: TripletBatch, weight: Float
  ) -> [LossTerm] {
    let norms = preferences.map {
      LossTerm.additive(
        "regularization", meanSquare($0, batch.users, count: batch.globalCount), weight: weight)
    }
    // The same on every shard: each counts its share of it.
    let ofWeights = weights.map {
      LossTerm.estimated(
        "regularization", meanSquare($0, count: $0.rows), weight: weight, share: batch.share)
    }
    return norms + [ofWeights].compactMap { $0 }
  }
}

extension LossTerm {
  /// 1 / ln 2: the weight of a ranking term with binary logarithms.
  static let perBinaryLogarithm: Float = 1.442_695_04
}
