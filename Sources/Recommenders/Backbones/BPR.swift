import Datasets
import Settings
import Tables
import Tensors

/// Matrix factorisation with Bayesian personalised ranking.
///
///     s(u, i) = ⟨P_u, Q_i⟩
///     L = −mean ln(1e-10 + σ(s(u,p) − s(u,n))) + λ (‖P_u‖ + ‖Q_p‖ + ‖Q_n‖) / n
///
/// The norms are Frobenius norms of the batch matrices, **not squared**, and n is the number of
/// triplets in the step. No biases, no features.
///
/// - Parameters: user P `[U, d]`, item Q `[I, d]`, Xavier normal.
/// - Source: Rendle et al. 2009, arXiv:1205.2618; loss and regulariser as in MMRec e775373
///   (`models/bpr.py`).
public struct BPR: NamedBackbone {
  public static let name = "bpr"
  public static let defaults = """
    # Matrix factorisation with the Bayesian personalised ranking loss; no features.
    objective: plain  # there is no content to encode
    reg_weight: 0.1   # best of the published grid
    """

  public struct Settings: SettingGroup {
    public let regularization = CommonSettings.regularization

    public init() {}
  }

  public let tables: [TableSpec]
  private let regularization: Float

  public init(_ input: ModelInput, _ settings: SettingValues<Settings>) {
    self.init(
      userCount: input.userCount, itemCount: input.itemCount, embeddingSize: input.embeddingSize,
      regularization: Float(settings.regularization))
  }

  public init(userCount: Int, itemCount: Int, embeddingSize: Int, regularization: Float) {
    self.regularization = regularization
    tables = [
      TableSpec(
        name: "user", rows: userCount, width: embeddingSize,
        initializer: .xavierNormal(rows: userCount, columns: embeddingSize)),
      TableSpec(
        name: "item", rows: itemCount, width: embeddingSize,
        initializer: .xavierNormal(rows: itemCount, columns: embeddingSize)),
    ]
  }

  public func rows(for batch: TripletBatch) -> [RowSelection] {
    [.listed(batch.distinctUsers), .listed(batch.distinctItems)]
  }

  public func loss(
    on tape: Tape, _ input: BatchInput, content: Content, items: [Variable],
    likelihood: Likelihood
  ) -> [LossTerm] {
    tape.pairwiseLoss(
      users: input.parameters[0], items: input.parameters[1],
      regularizedUsers: input.parameters[0], regularizedItems: input.parameters[1],
      batch: input.batch, regularization: regularization, likelihood: likelihood)
  }

  public var final: FinalVectors { .tables(user: 0, item: 1) }
}
