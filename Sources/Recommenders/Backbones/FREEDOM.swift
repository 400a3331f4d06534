import Datasets
import Settings
import Tables
import Tensors

/// FREEDOM: LightGCN over a thinned interaction graph, plus a frozen graph of similar items.
///
///     [G_u; G_i] = 1 / (L + 1) · Σ_{l = 0 … L} Ãˡ [P; Q]
///     Û = G_u,  Î = G_i + Mᴷ Q,  s(u, i) = ⟨Û_u, Î_i⟩
///     L = mean softplus(−(s(u,p) − s(u,n)))
///         + λ Σ_m mean softplus(−⟨Û_u, c_{m,p} − c_{m,n}⟩),  c_{m,i} = W_m V_{m,i} + b_m
///
/// Ã holds a sample of the training edges, drawn again every epoch with less chance for edges
/// between popular nodes; ranking uses the whole Â. M is the weighted sum of the modalities'
/// neighbour graphs, built once from the data set's features. The tables V_m begin as copies of
/// the features and are trained, but affect the ranking only through Û: a batch needs only the rows
/// of its own items.
///
/// With sampled graphs Ã is the epoch's as before, and G of a batch is an estimate from a sample of
/// its neighbourhood there (``NeighbourSampling``); M is not sampled, because its rows have few
/// entries.
///
/// **The biases b_m have a gradient of exactly zero.** They cancel in every difference above; the
/// reference computes rounding noise for them instead, which Adam turns into steps of full size.
/// Here b_m is a constant, also for MRdIB.
///
/// **MRdIB** has no place in the score, which contains no content. With ranked means its joint
/// likelihood is of Û and Î plus the mean of the z. With ranked samples it samples the c_m of the
/// auxiliary terms, and adds `α₃ · mean softplus(−⟨Û_u, z_p − z_n⟩)` with z the mean of the
/// modalities' samples as the joint likelihood (``Content/jointUsers``): with all α = 0 and no
/// sampling, FREEDOM to the bit. (Option A of the two possible ones; the paper leaves it open.)
///
/// - Parameters: user P `[U, d]` and item Q `[I, d]` Xavier uniform; per modality
///   features.m V_m `[I, F_m]`, the features; projection.m.weight W_m `[d, F_m]` and
///   projection.m.bias b_m `[1, d]`, both uniform in ±1/√F_m.
/// - Source: Zhou and Shen 2023, arXiv:2211.06924; as in MMRec e775373 (`models/freedom.py`), which
///   also trains the feature tables. More than two modalities are ours.
public struct FREEDOM: NamedBackbone {
  public static let name = "freedom"
  public static let samplesGraphs = true
  public static let needsFeatures = true
  public static let ranksNewItems = true
  public static let hasContent = true
  public static let defaults = """
    # FREEDOM: frozen item graph, sampled interaction graph.
    reg_weight: 1e-3  # of the published grid 0, 1e-5, 1e-4, 1e-3
    dropout: 0.8      # published: 0.8 or 0.9
    mm_image_weight: 0.1
    """

  public struct Settings: SettingGroup {
    /// λ, the weight of the auxiliary terms.
    public let regularization = CommonSettings.regularization
    /// L.
    public let layers = CommonSettings.layers
    public let itemNeighbours = CommonSettings.itemNeighbours
    /// ρ.
    public let edgeDropout = CommonSettings.edgeDropout
    public let firstModalityWeight = CommonSettings.firstModalityWeight
    /// The reference ranks with freshly propagated vectors.
    public let staleRanking = CommonSettings.staleRanking
    public let graphMode = CommonSettings.graphMode
    public let fanOuts = CommonSettings.fanOuts

    public init() {}
  }

  /// The graphs; each is asked for when it is first needed.
  public struct Graphs: Sendable {
    /// M, `[I, I]`.
    public let items: @Sendable () -> SparseMatrix
    /// Ã of an epoch, `[U + I, U + I]`.
    public let sampled: @Sendable (_ context: StepContext) -> SparseMatrix
    /// Â, `[U + I, U + I]`.
    public let whole: @Sendable () -> SparseMatrix

    public init(
      items: @escaping @Sendable () -> SparseMatrix,
      sampled: @escaping @Sendable (_ context: StepContext) -> SparseMatrix,
      whole: @escaping @Sendable () -> SparseMatrix
    ) {
      self.items = items
      self.sampled = sampled
      self.whole = whole
    }
  }

  public let tables: [TableSpec]
  private let userCount: Int
  private let itemCount: Int
  private let features: [FeatureMatrix]
  private let embeddingSize: Int
  private let settings: SettingValues<Settings>
  /// K, propagations over the item graph.
  private let itemLayers: Int
  private let graphs: Graphs
  private let sampling: NeighbourSampling?

  /// The tables of one modality.
  private struct ModalityTables {
    let features: Int
    var weight: Int { features + 1 }
    var bias: Int { features + 2 }

    init(_ modality: Int) { features = 2 + 3 * modality }
  }

  /// A model over given graphs.
  ///
  /// - Parameters:
  ///   - itemLayers: K, propagations over the item graph.
  ///   - sampling: how a step's neighbourhood is drawn; nil propagates over whole graphs.
  /// - Precondition: at least one modality; K is 1 with sampling.
  public init(
    userCount: Int, itemCount: Int, features: [FeatureMatrix], embeddingSize: Int,
    settings: SettingValues<Settings>, itemLayers: Int = 1, sampling: NeighbourSampling? = nil,
    graphs: Graphs
  ) {
    precondition(!features.isEmpty, "FREEDOM without features")
    precondition(sampling == nil || itemLayers == 1, "\(itemLayers) sampled layers of items")
    self.userCount = userCount
    self.itemCount = itemCount
    self.features = features
    self.embeddingSize = embeddingSize
    self.settings = settings
    self.itemLayers = itemLayers
    self.graphs = graphs
    self.sampling = sampling
    tables = Self.tables(
      userCount: userCount, itemCount: itemCount,
      modalities: features.map { ($0.name, $0.columns) }, embeddingSize: embeddingSize)
  }

  /// The parameters of a model with these sizes; a modality is a name and a width.
  public static func tables(
    userCount: Int, itemCount: Int, modalities: [(name: String, width: Int)], embeddingSize: Int
  ) -> [TableSpec] {
    LightGCN.tables(userCount: userCount, itemCount: itemCount, embeddingSize: embeddingSize)
      + modalities.flatMap { name, width in
        [
          TableSpec(
            name: "features.\(name)", rows: itemCount, width: width, initializer: .pushed),
          TableSpec(
            name: "projection.\(name).weight", rows: embeddingSize, width: width,
            initializer: .linear(inputs: width)),
          TableSpec(
            name: "projection.\(name).bias", rows: 1, width: embeddingSize,
            initializer: .linear(inputs: width)),
        ]
      }
  }

  /// The features of some items: what the tables V_m begin with.
  ///
  /// - Precondition: `table` is one of them.
  public func initialValues(table: Int, rows: Range<Int>) -> Matrix {
    guard let modality = features.indices.first(where: { ModalityTables($0).features == table })
    else { preconditionFailure("table \(tables[table].name) does not begin with data") }
    return features[modality].matrix(rows)
  }

  public func rows(for batch: TripletBatch) -> [RowSelection] {
    [.all, .all] + featureRows(for: batch)
  }

  private func featureRows(for batch: TripletBatch) -> [RowSelection] {
    features.flatMap { _ in [.listed(batch.distinctItems), .all, .all] }
  }

  public func neighbourhood(of batch: TripletBatch, context: StepContext) -> Neighbourhood? {
    sampling?.neighbourhood(of: batch, context: context)
  }

  public func rows(for batch: TripletBatch, in neighbourhood: Neighbourhood) -> [RowSelection] {
    [.listed(neighbourhood.users), .listed(neighbourhood.items)] + featureRows(for: batch)
  }

  public func propagate(
    on tape: Tape, in neighbourhood: Neighbourhood, parameters: [Variable]
  ) -> [Variable] {
    let nodes = tape.concatenateRows([parameters[0], parameters[1]])
    let mean = tape.layerMean(in: neighbourhood, nodes)
    let users = neighbourhood.batchUsers.count
    var items = tape.rows(mean, users..<mean.rows)
    if let layer = neighbourhood.similarItems {
      items = tape.add(items, tape.multiply(layer.matrix, tape.gather(nodes, layer.sources)))
    }
    return [tape.rows(mean, 0..<users), items]
  }

  public func propagate(
    on tape: Tape, parameters: [Variable], context: StepContext
  ) -> [Variable] {
    guard sampling == nil else { return [] }
    let (user, item) = forward(on: tape, parameters, adjacency: graphs.sampled(context))
    return [user, item]
  }

  /// Û `[U, d]` and Î `[I, d]`.
  private func forward(
    on tape: Tape, _ parameters: [Variable], adjacency: SparseMatrix
  ) -> (user: Variable, item: Variable) {
    let stacked = tape.concatenateRows([parameters[0], parameters[1]])
    let mean = tape.layerMean(adjacency, stacked, layers: settings.layers)
    var similar = parameters[1]
    for _ in 0..<itemLayers { similar = tape.multiply(graphs.items(), similar) }
    return (
      tape.rows(mean, 0..<userCount),
      tape.add(tape.rows(mean, userCount..<userCount + itemCount), similar)
    )
  }

  public func content(on tape: Tape, _ input: BatchInput) -> Content {
    let means = features.indices.map { modality in
      let place = ModalityTables(modality)
      return tape.linear(
        input.parameters[place.features], input.parameters[place.weight],
        bias: tape.detached(input.parameters[place.bias]))
    }
    let users = input.propagatedUsers(on: tape)
    return Content(means: means, users: features.map { _ in users }, jointUsers: users)
  }

  public func fused(
    on tape: Tape, _ input: BatchInput, content: Content, rows: BatchRows
  ) -> (users: Variable, items: Variable) {
    let ranked = input.propagatedItems(rows, on: tape)
    let share = 1 / Float(content.means.count)
    return (content.users[0], tape.sum([(ranked, 1)] + content.means.map { ($0, share) }))
  }

  public func loss(
    on tape: Tape, _ input: BatchInput, content: Content, items: [Variable],
    likelihood: Likelihood
  ) -> [LossTerm] {
    let batch = input.batch
    let ranked = input.propagatedItems(on: tape)
    let ranking = tape.rankingTerm(
      users: content.users[0], items: ranked, batch: batch, likelihood: likelihood,
      form: .softplus)
    let auxiliary = features.indices.map { modality in
      LossTerm.additive(
        "auxiliary.\(features[modality].name)",
        tape.preferenceLoss(
          users: content.users[modality], items: items[modality], batch: batch,
          likelihood: likelihood.ofPairs, form: .softplus),
        weight: Float(settings.regularization))
    }
    return [ranking] + auxiliary
  }

  /// A new item joins the graph of similar items with as many edges as the others have.
  public var newItemVectors: NewItemVectors? { .neighbours(count: settings.itemNeighbours) }

  public var final: FinalVectors {
    if let sampling {
      return .layered(
        sampling.finalVectors(width: embeddingSize, tables: (0, 1), itemCount: itemCount))
    }
    return .whole(
      width: embeddingSize, tables: [0, 1],
      isStale: settings.staleRanking.isStale(inReference: false)
    ) { tape, parameters, context in
      forward(on: tape, parameters, adjacency: context.map(graphs.sampled) ?? graphs.whole())
    }
  }
}

extension FREEDOM {
  /// A model over a data set's graphs, which are built when it first propagates.
  ///
  /// - Throws: ``ModelError`` when the dropout leaves no edges, and for settings that contradict
  ///   each other.
  public init(_ input: ModelInput, _ settings: SettingValues<Settings>) throws {
    guard settings.edgeDropout >= 0 && settings.edgeDropout < 1 else {
      throw ModelError(
        description: "Cannot build model 'freedom': its edge dropout is \(settings.edgeDropout), "
          + "which is not at least 0 and below 1. The reference uses 0.8 or 0.9.")
    }
    let isSampled = settings.graphMode == .sampled
    if isSampled { try settings.staleRanking.checkSuitsSampledGraphs(of: Self.name) }
    let epochs = SingleEntryCache<SampledEpoch, InteractionGraph> { epoch in
      input.requiredGraphs.sampledInteractionGraph(
        dropout: settings.edgeDropout, seed: epoch.seed, epoch: epoch.epoch)
    }
    let whole = Lazy { input.requiredGraphs.interactionGraph(.guarded) }
    // The sum is kept here; the store keeps its parts.
    let (first, count) = (Float(settings.firstModalityWeight), settings.itemNeighbours)
    let items = Lazy { input.mixedItemNeighbours(first: first, count: count) }
    self.init(
      userCount: input.userCount, itemCount: input.itemCount, features: input.features,
      embeddingSize: input.embeddingSize, settings: settings,
      sampling: isSampled
        ? NeighbourSampling(
          userCount: input.userCount, layers: settings.layers, fanOuts: settings.fanOuts,
          items: { items.value }, whole: { whole.value }
        ) { epochs[SampledEpoch(seed: $0.seed, epoch: $0.epoch)] } : nil,
      graphs: .init(
        items: { items.value },
        sampled: {
          input.requiredGraphs.sampledAdjacency(
            dropout: settings.edgeDropout, seed: $0.seed, epoch: $0.epoch)
        },
        whole: { input.requiredGraphs.adjacency(.guarded) }))
  }
}

/// What an epoch's sample of the interactions depends on.
private struct SampledEpoch: Equatable, Sendable {
  let seed: UInt64
  let epoch: Int
}
