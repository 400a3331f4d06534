import Datasets
import Settings
import Tables
import Tensors

/// LightGCN: matrix factorisation whose vectors are averaged over neighbourhoods of the
/// interaction graph.
///
///     [Û; Î] = 1 / (L + 1) · Σ_{l = 0 … L} Âˡ [P; Q],  s(u, i) = ⟨Û_u, Î_i⟩
///     L = −mean ln(1e-10 + σ(s(u,p) − s(u,n))) + λ (‖P_u‖ + ‖Q_p‖ + ‖Q_n‖) / n
///
/// The norms are un-squared, over the batch's rows of the tables themselves (layer 0). No features.
/// With sampled graphs Û and Î of a batch are estimates from a sample of its neighbourhood
/// (``NeighbourSampling``); ranking uses the exact ones.
///
/// - Parameters: user P `[U, d]`, item Q `[I, d]`, Xavier uniform.
/// - Source: He et al. 2020, arXiv:2002.02126; Â with guarded degrees, loss and regulariser as in
///   MMRec e775373 (`models/lightgcn.py`). Ranks with freshly propagated vectors, as the reference.
public struct LightGCN: NamedBackbone {
  public static let name = "lightgcn"
  public static let samplesGraphs = true
  public static let defaults = """
    # Light graph convolution over the interaction graph; no features.
    objective: plain  # there is no content to encode
    n_layers: 2
    reg_weight: 1e-4  # of the published grid 1e-2 … 1e-6
    """

  public struct Settings: SettingGroup {
    public let regularization = CommonSettings.regularization
    /// L.
    public let layers = CommonSettings.layers
    public let staleRanking = CommonSettings.staleRanking
    public let graphMode = CommonSettings.graphMode
    public let fanOuts = CommonSettings.fanOuts

    public init() {}
  }

  public let tables: [TableSpec]
  private let userCount: Int
  private let itemCount: Int
  private let embeddingSize: Int
  private let layers: Int
  private let regularization: Float
  private let staleRanking: Bool
  private let adjacency: @Sendable () -> SparseMatrix
  private let sampling: NeighbourSampling?

  /// - Parameters:
  ///   - layers: L.
  ///   - staleRanking: rank with the vectors of the last training forward (not the reference).
  ///   - sampling: how a step's neighbourhood is drawn; nil propagates over the whole graph.
  ///   - adjacency: Â, `[U + I, U + I]`; called when vectors are first propagated.
  public init(
    userCount: Int, itemCount: Int, embeddingSize: Int, layers: Int, regularization: Float,
    staleRanking: Bool = false, sampling: NeighbourSampling? = nil,
    adjacency: @escaping @Sendable () -> SparseMatrix
  ) {
    self.userCount = userCount
    self.itemCount = itemCount
    self.embeddingSize = embeddingSize
    self.layers = layers
    self.regularization = regularization
    self.staleRanking = staleRanking
    self.sampling = sampling
    self.adjacency = adjacency
    tables = Self.tables(
      userCount: userCount, itemCount: itemCount, embeddingSize: embeddingSize)
  }

  /// The parameters of a model with these sizes.
  public static func tables(userCount: Int, itemCount: Int, embeddingSize: Int) -> [TableSpec] {
    [
      TableSpec(
        name: "user", rows: userCount, width: embeddingSize,
        initializer: .xavierUniform(rows: userCount, columns: embeddingSize)),
      TableSpec(
        name: "item", rows: itemCount, width: embeddingSize,
        initializer: .xavierUniform(rows: itemCount, columns: embeddingSize)),
    ]
  }

  public func rows(for batch: TripletBatch) -> [RowSelection] { [.all, .all] }

  public func propagate(
    on tape: Tape, parameters: [Variable], context: StepContext
  ) -> [Variable] {
    guard sampling == nil else { return [] }
    let (user, item) = forward(on: tape, parameters)
    return [user, item]
  }

  public func neighbourhood(of batch: TripletBatch, context: StepContext) -> Neighbourhood? {
    sampling?.neighbourhood(of: batch, context: context)
  }

  public func rows(for batch: TripletBatch, in neighbourhood: Neighbourhood) -> [RowSelection] {
    [.listed(neighbourhood.users), .listed(neighbourhood.items)]
  }

  public func propagate(
    on tape: Tape, in neighbourhood: Neighbourhood, parameters: [Variable]
  ) -> [Variable] {
    let mean = tape.layerMean(
      in: neighbourhood, tape.concatenateRows([parameters[0], parameters[1]]))
    let users = neighbourhood.batchUsers.count
    return [tape.rows(mean, 0..<users), tape.rows(mean, users..<mean.rows)]
  }

  /// Û `[U, d]` and Î `[I, d]`.
  private func forward(
    on tape: Tape, _ parameters: [Variable]
  ) -> (user: Variable, item: Variable) {
    let stacked = tape.concatenateRows([parameters[0], parameters[1]])
    let mean = tape.layerMean(adjacency(), stacked, layers: layers)
    return (
      tape.rows(mean, 0..<userCount), tape.rows(mean, userCount..<userCount + itemCount)
    )
  }

  public func loss(
    on tape: Tape, _ input: BatchInput, content: Content, items: [Variable],
    likelihood: Likelihood
  ) -> [LossTerm] {
    let batch = input.batch
    return tape.pairwiseLoss(
      users: input.propagatedUsers(on: tape), items: input.propagatedItems(on: tape),
      regularizedUsers: input.users(ofTable: 0, on: tape),
      regularizedItems: input.items(ofTable: 1, on: tape),
      batch: batch, regularization: regularization, likelihood: likelihood)
  }

  public var final: FinalVectors {
    if let sampling {
      return .layered(
        sampling.finalVectors(width: embeddingSize, tables: (0, 1), itemCount: itemCount))
    }
    return .whole(width: embeddingSize, tables: [0, 1], isStale: staleRanking) {
      tape, parameters, _ in
      forward(on: tape, parameters)
    }
  }
}

extension LightGCN {
  /// A model over a data set's graphs, which are built when it first propagates.
  ///
  /// - Throws: ``ModelError`` for settings that contradict each other.
  public init(_ input: ModelInput, _ settings: SettingValues<Settings>) throws {
    let isSampled = settings.graphMode == .sampled
    if isSampled { try settings.staleRanking.checkSuitsSampledGraphs(of: Self.name) }
    let graph = Lazy { input.requiredGraphs.interactionGraph(.guarded) }
    self.init(
      userCount: input.userCount, itemCount: input.itemCount,
      embeddingSize: input.embeddingSize, layers: settings.layers,
      regularization: Float(settings.regularization),
      staleRanking: settings.staleRanking.isStale(inReference: false),
      sampling: isSampled
        ? NeighbourSampling(
          userCount: input.userCount, layers: settings.layers, fanOuts: settings.fanOuts,
          whole: { graph.value }
        ) { _ in graph.value } : nil,
      adjacency: { input.requiredGraphs.adjacency(.guarded) })
  }
}
