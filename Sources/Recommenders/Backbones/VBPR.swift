import Datasets
import Settings
import Tables
import Tensors

/// Visual BPR: an item is an id vector next to a projection of its features.
///
///     Î_i = [Q_i | W x_i + b],  s(u, i) = ⟨P_u, Î_i⟩
///     L = −mean ln(1e-10 + σ(s(u,p) − s(u,n))) + λ (‖P_u‖ + ‖Î_p‖ + ‖Î_n‖) / n
///
/// x_i holds the features of all modalities side by side, **last modality first** (text before
/// visual, as in the reference). The norms are un-squared and see the whole item rows; W itself is
/// not regularised. The projection splits exactly into one vector per modality,
/// `μ_m = W_m x_{m,i} + b / M`, to which MRdIB attaches; plain training adds the same vectors,
/// so that both have the same bits.
///
/// Only the batch's distinct items are projected: the same result as projecting all of them.
///
/// - Parameters: user P `[U, 2d]` and item Q `[I, d]` Xavier uniform; projection.weight W
///   `[d, ΣF]` Xavier normal; projection.bias b `[1, d]` zero.
/// - Source: He and McAuley 2016, arXiv:1510.01784, without its bias terms, as in MMRec e775373
///   (`models/vbpr.py`).
public struct VBPR: NamedBackbone {
  public static let name = "vbpr"
  public static let needsFeatures = true
  public static let hasContent = true
  public static let hasScoreParts = true
  public static let ranksNewItems = true
  public static let defaults = """
    # Visual Bayesian personalised ranking: id embeddings and one joint projection of all features.
    reg_weight: 0.1  # best of most published runs; Amazon Sports prefers 1
    """

  public struct Settings: SettingGroup {
    public let regularization = CommonSettings.regularization

    public init() {}
  }

  public let tables: [TableSpec]
  private let features: [FeatureMatrix]
  /// The columns of W that belong to each modality.
  private let columns: [Range<Int>]
  private let embeddingSize: Int
  private let regularization: Float

  public init(_ input: ModelInput, _ settings: SettingValues<Settings>) {
    self.init(
      userCount: input.userCount, itemCount: input.itemCount, features: input.features,
      embeddingSize: input.embeddingSize, regularization: Float(settings.regularization))
  }

  /// - Precondition: at least one modality.
  public init(
    userCount: Int, itemCount: Int, features: [FeatureMatrix], embeddingSize: Int,
    regularization: Float
  ) {
    precondition(!features.isEmpty, "VBPR without features")
    self.features = features
    self.embeddingSize = embeddingSize
    self.regularization = regularization
    let featureWidth = features.reduce(0) { $0 + $1.columns }
    var end = featureWidth
    columns = features.map { feature in
      end -= feature.columns
      return end..<(end + feature.columns)
    }
    tables = Self.tables(
      userCount: userCount, itemCount: itemCount, featureWidth: featureWidth,
      embeddingSize: embeddingSize)
  }

  /// The parameters of a model with these sizes; `featureWidth` is the sum over modalities.
  public static func tables(
    userCount: Int, itemCount: Int, featureWidth: Int, embeddingSize: Int
  ) -> [TableSpec] {
    [
      TableSpec(
        name: "user", rows: userCount, width: 2 * embeddingSize,
        initializer: .xavierUniform(rows: userCount, columns: 2 * embeddingSize)),
      TableSpec(
        name: "item", rows: itemCount, width: embeddingSize,
        initializer: .xavierUniform(rows: itemCount, columns: embeddingSize)),
      TableSpec(
        name: "projection.weight", rows: embeddingSize, width: featureWidth,
        initializer: .xavierNormal(rows: embeddingSize, columns: featureWidth)),
      TableSpec(
        name: "projection.bias", rows: 1, width: embeddingSize, initializer: .constant(0)),
    ]
  }

  public func rows(for batch: TripletBatch) -> [RowSelection] {
    [.listed(batch.distinctUsers), .listed(batch.distinctItems), .all, .all]
  }

  public func content(on tape: Tape, _ input: BatchInput) -> Content {
    let means = features.indices.map { modality in
      project(
        on: tape, features, modality, of: input.batch.distinctItems, weight: input.parameters[2],
        bias: input.parameters[3])
    }
    let users = tape.columns(input.parameters[0], embeddingSize..<2 * embeddingSize)
    return Content(means: means, users: features.map { _ in users })
  }

  public func fused(
    on tape: Tape, _ input: BatchInput, content: Content, rows: BatchRows
  ) -> (users: Variable, items: Variable) {
    let ids = rows.items(of: input.parameters[1], on: tape)
    return (
      rows.users(of: input.parameters[0], on: tape),
      itemRows(on: tape, ids: ids, content: content.means)
    )
  }

  public func loss(
    on tape: Tape, _ input: BatchInput, content: Content, items: [Variable],
    likelihood: Likelihood
  ) -> [LossTerm] {
    let ids = input.parameters[1]
    let regularized = itemRows(on: tape, ids: ids, content: content.means)
    let scored =
      content.isReplaced(by: items) ? itemRows(on: tape, ids: ids, content: items) : regularized
    return tape.pairwiseLoss(
      users: input.parameters[0], items: scored, regularizedUsers: input.parameters[0],
      regularizedItems: regularized, batch: input.batch, regularization: regularization,
      likelihood: likelihood)
  }

  /// μ_m of some items, `[J, d]`; 0 where the prior stands for a modality.
  private func project(
    on tape: Tape, _ features: [FeatureMatrix], _ modality: Int, of items: [Int32],
    weight: Variable, bias: Variable
  ) -> Variable {
    let input = tape.matrix(rows: items.count, columns: features[modality].columns)
    features[modality].gather(items, into: input.pointer)
    let projected = tape.linear(
      tape.constant(input), weight, columns: columns[modality], bias: bias,
      biasScale: 1 / Float(features.count))
    return AbsentModalities(features).clearing(projected, of: items, modality, on: tape)
  }

  /// `[Q_i | Σ_m vector_m]`, `[J, 2d]`.
  private func itemRows(on tape: Tape, ids: Variable, content: [Variable]) -> Variable {
    let projected = content.count == 1 ? content[0] : tape.sum(content.map { ($0, 1) })
    return tape.concatenateColumns([ids, projected])
  }

  public var final: FinalVectors {
    .rows(
      RowwiseFinalVectors(
        side: .item, otherTable: 0, width: 2 * embeddingSize,
        rows: { [.none, .listed($0.map(Int32.init)), .all, .all] },
        compute: { range, parameters in itemVectors(range, parameters) }))
  }

  /// ⟨P_u, Î_i⟩ is the product with Q_i plus one product per modality, all of these with the same
  /// columns of the user.
  public var scoreParts: [ScorePart] {
    let content = embeddingSize..<2 * embeddingSize
    return [ScorePart(name: ScorePart.interactions, columns: 0..<embeddingSize)]
      + features.indices.map { modality in
        ScorePart(
          name: features[modality].name, columns: content,
          itemVectors: .computed(tables: [2, 3]) { items, parameters in
            // The tape is not reused, so its matrices can be returned.
            let tape = Tape()
            return project(
              on: tape, features, modality, of: items.map(Int32.init),
              weight: tape.constant(parameters[2]), bias: tape.constant(parameters[3])
            ).value
          })
      }
  }

  /// `[0 | Σ_m μ_m]`: the projection, without an id vector.
  public var newItemVectors: NewItemVectors? {
    .computed(tables: [2, 3]) { new, parameters in
      let tape = Tape()
      let items = Array(0..<Int32(new[0].rows))
      let content = new.indices.map { modality in
        project(
          on: tape, new, modality, of: items, weight: tape.constant(parameters[2]),
          bias: tape.constant(parameters[3]))
      }
      let ids = tape.constant(Matrix(rows: items.count, columns: embeddingSize))
      let result = Matrix(rows: items.count, columns: 2 * embeddingSize)
      result.copy(from: itemRows(on: tape, ids: ids, content: content).value)
      return result
    }
  }

  /// `[Q_i | Σ_m μ_m]` of some items, `[range.count, 2d]`.
  private func itemVectors(_ range: Range<Int>, _ parameters: [Matrix]) -> Matrix {
    let tape = Tape()
    let constants = parameters.map { tape.constant($0) }
    let means = features.indices.map { modality in
      project(
        on: tape, features, modality, of: range.map(Int32.init), weight: constants[2],
        bias: constants[3])
    }
    let result = Matrix(rows: range.count, columns: 2 * embeddingSize)
    result.copy(from: itemRows(on: tape, ids: constants[1], content: means).value)
    return result
  }
}
