import Datasets
import Recommenders
import Settings
import Tables
import Tensors

/// Matrix factorisation with a hinge loss: a positive item should be ahead of a negative one by a
/// margin, and no more than that.
///
///     s(u, i) = ⟨P_u, Q_i⟩
///     L = mean max(0, margin − (s(u,p) − s(u,n))) + λ ½ (‖P_u‖² + ‖Q_p‖² + ‖Q_n‖²) / n
///
/// The mean is over the n triplets of the step.
///
/// - Parameters: user P `[U, d]`, item Q `[I, d]`, Xavier normal.
/// - Source: the hinge loss of Weston et al. 2011 (WSABIE) with one sampled negative and without
///   its weights by rank.
struct MarginFactorization: NamedBackbone {
  static let name = "margin_mf"
  static let defaults = """
    # Matrix factorisation with a hinge loss; no features.
    objective: plain  # there is no content to encode
    reg_weight: 1e-3
    """

  struct Settings: SettingGroup {
    let regularization = CommonSettings.regularization
    let margin = Setting(
      "margin", default: 1.0, .above(0, upTo: 100),
      help: "How far a positive item should be ahead of a negative one (margin_mf).")
  }

  let tables: [TableSpec]
  private let regularization: Float
  private let margin: Float

  init(_ input: ModelInput, _ settings: SettingValues<Settings>) {
    regularization = Float(settings.regularization)
    margin = Float(settings.margin)
    let width = input.embeddingSize
    tables = [
      TableSpec(
        name: "user", rows: input.userCount, width: width,
        initializer: .xavierNormal(rows: input.userCount, columns: width)),
      TableSpec(
        name: "item", rows: input.itemCount, width: width,
        initializer: .xavierNormal(rows: input.itemCount, columns: width)),
    ]
  }

  func rows(for batch: TripletBatch) -> [RowSelection] {
    [.listed(batch.distinctUsers), .listed(batch.distinctItems)]
  }

  func loss(
    on tape: Tape, _ input: BatchInput, content: Content, items: [Variable],
    likelihood: Likelihood
  ) -> [LossTerm] {
    let (users, items, batch) = (input.parameters[0], input.parameters[1], input.batch)
    let positive = tape.rowDot(users, batch.userIndex, items, batch.positiveIndex)
    let negative = tape.rowDot(users, batch.userIndex, items, batch.negativeIndex)
    let margins = tape.matrix(rows: batch.count, columns: 1)
    margins.fill(margin)
    let hinge = tape.relu(
      tape.sum([(tape.constant(margins), 1), (negative, 1), (positive, -1)]))
    // A shard has a share of the step's triplets; shares add up to the mean over the step.
    let ranking = tape.sum([(tape.mean(hinge), batch.share)])
    let scale = 1 / Float(max(1, batch.globalCount))
    let norms = [
      tape.gatheredHalfSquares(users, batch.userIndex, scale: scale),
      tape.gatheredHalfSquares(items, batch.positiveIndex, scale: scale),
      tape.gatheredHalfSquares(items, batch.negativeIndex, scale: scale),
    ]
    return [.additive(LossTerm.rankingName, ranking, weight: 1)]
      + norms.map { .additive("norms", $0, weight: regularization) }
  }

  var final: FinalVectors { .tables(user: 0, item: 1) }
}
