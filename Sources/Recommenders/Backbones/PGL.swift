import Datasets
import Settings
import Tables
import Tensors

/// PGL: propagates over a principal part of the interactions in training, and over all of them to
/// rank.
///
///     x_m = [ P_m ; rowL2(W_m V_m + b_m) ]                                          [N, d]
///     Û_m = C_m of users,  Î_m = C_m + M x_m of items,  C_m = 1 / (L + 1) · Σ_{l=0…L} Sˡ x_m
///     s(u, i) = Σ_m ⟨Û_m[u], Î_m[i]⟩
///     L = mean softplus(s(u,n) − s(u,p))
///         + c/2 [ InfoNCE(drop Û_u, drop' Û_u) + InfoNCE(drop Î_p, drop' Î_p) ],  τ = 0.2
///
/// S is the subgraph in training and Â in an evaluation:
/// - `local`: 30 % of the interactions, drawn every epoch as ``FREEDOM`` draws them
///   (`dropout: 0.7`);
/// - `global`: built once from the largest singular values, see
///   `GraphStore.principalAdjacency(rank:)`, with as many of Â's as an embedding has columns.
///
/// The contrasts compare whole vectors, of all modalities, with themselves under two dropouts. M is
/// the item graph of ``FREEDOM``. There are no id vectors of items.
///
/// Faithful to the reference where it departs from what one would expect:
/// - the global graph weighs the largest singular values by the smallest of those it computes, and
///   has negative entries, with no normalisation after small ones are left out;
/// - the features are trained (`trainable_features`);
/// - there is no regulariser, and its `reg_weight` is c.
///
/// **MRdIB** attaches where the rest of the score is row-wise: μ_m is Î_m, and its user Û_m.
///
/// Published Recall@20 / NDCG@20, from the logs in the authors' repository, one seed each:
///
/// | | Baby | Sports | Clothing |
/// |---|---|---|---|
/// | local | .1022 / .0449 | .1174 / .0528 | .1034 / .0467 |
/// | global | .1040 / .0448 | .1144 / .0509 | .1014 / .0451 |
/// | c, ρ | 0.05, 0.2 | 0.1, 0.05 | 0.5, 0.1 |
///
/// - Parameters: per modality user.m P_m `[U, d]` Xavier uniform; features.m V_m `[I, F_m]`, the
///   features; projection.m.weight W_m `[d, F_m]` and bias b_m `[1, d]`, uniform in ±1/√F_m.
/// - Over several shards the ranking adds up; each InfoNCE is estimated among a shard's own rows
///   and averaged by shard size.
/// - Deviations: a user or item that a batch has twice is dropped alike (``ViewDropout``); more
///   than two modalities are ours.
/// - Source: Yu et al. 2025, "Mind Individual Information! Principal Graph Learning for Multimedia
///   Recommendation", AAAI, doi:10.1609/aaai.v39i12.33429, as in demonph10/PGL dbc871c and, the
///   same, in MMRec e775373 (`models/pgl.py`).
public struct PGL: NamedBackbone {
  public static let name = "pgl"
  public static let needsFeatures = true
  public static let ranksNewItems = true
  public static let hasContent = true
  public static let hasScoreParts = true
  public static let defaults = """
    # PGL: principal subgraph in training, all interactions to rank. Its authors' settings of Baby.
    cl_weight: 0.05    # published: 0.05 Baby, 0.1 Sports, 0.5 Clothing
    view_dropout: 0.2  # published: 0.2 Baby, 0.05 Sports, 0.1 Clothing
    dropout: 0.7
    mm_image_weight: 0.1
    lr_decay: 0.96
    lr_decay_period: 50
    """

  public struct Settings: SettingGroup {
    /// c.
    public let contrastiveWeight = CommonSettings.contrastiveWeight
    /// L.
    public let layers = CommonSettings.layers
    public let itemNeighbours = CommonSettings.itemNeighbours
    public let firstModalityWeight = CommonSettings.firstModalityWeight
    public let subgraph = Setting(
      "subgraph", default: Subgraph.local,
      help: "The part of the interactions that PGL trains on: drawn every epoch (local), or the"
        + " directions of their largest singular values (global).")
    public let edgeDropout = CommonSettings.edgeDropout
    /// ρ.
    public let viewDropout = CommonSettings.viewDropout
    public let trainsFeatures = CommonSettings.trainsFeatures
    /// The reference ranks with freshly propagated vectors.
    public let staleRanking = CommonSettings.staleRanking

    public init() {}
  }

  public enum Subgraph: String, SettingChoice {
    case local
    case global
  }

  /// The graphs; each is asked for when it is first needed.
  package struct Graphs: Sendable {
    /// S of a training step, `[U + I, U + I]`.
    let principal: @Sendable (_ context: StepContext) -> SparseMatrix
    /// Â, `[U + I, U + I]`.
    let whole: @Sendable () -> SparseMatrix
    /// M, `[I, I]`.
    let items: @Sendable () -> SparseMatrix

    package init(
      principal: @escaping @Sendable (_ context: StepContext) -> SparseMatrix,
      whole: @escaping @Sendable () -> SparseMatrix,
      items: @escaping @Sendable () -> SparseMatrix
    ) {
      self.principal = principal
      self.whole = whole
      self.items = items
    }
  }

  /// The tables of one modality.
  private struct Modality {
    let user: Int
    /// Nil when the features are not trained.
    let features: Int?
    let projection: LinearLayer
  }

  private let list: TableList
  private let modalities: [Modality]
  private let userCount: Int
  private let features: [FeatureMatrix]
  private let embeddingSize: Int
  private let settings: SettingValues<Settings>
  private let graphs: Graphs
  private let itemGraph: Lazy<SparseMatrix>
  private let dropout: ViewDropout
  /// F_m of all items; read only when the features are not trained.
  private let frozenFeatures: Lazy<[Matrix]>
  private static let temperature: Float = 0.2

  /// - Parameter draws: of the dropout; nil for what the run's seed says.
  /// - Precondition: at least one modality.
  package init(
    userCount: Int, itemCount: Int, features: [FeatureMatrix], embeddingSize: Int,
    settings: SettingValues<Settings>, graphs: Graphs, draws: ViewDropout.Draws? = nil
  ) {
    precondition(!features.isEmpty, "PGL without features")
    self.userCount = userCount
    self.features = features
    self.embeddingSize = embeddingSize
    self.settings = settings
    self.graphs = graphs
    itemGraph = Lazy(graphs.items)
    dropout = ViewDropout(share: settings.viewDropout, draws: draws)
    frozenFeatures = Lazy { features.map { $0.matrix(0..<$0.rows) } }
    (list, modalities) = Self.layout(
      userCount: userCount, itemCount: itemCount,
      modalities: features.map { ($0.name, $0.columns) }, embeddingSize: embeddingSize,
      trainsFeatures: settings.trainsFeatures)
  }

  private static func layout(
    userCount: Int, itemCount: Int, modalities: [(name: String, width: Int)], embeddingSize: Int,
    trainsFeatures: Bool
  ) -> (TableList, [Modality]) {
    var list = TableList()
    let places = modalities.map { name, width in
      Modality(
        user: list.addEmbedding("user.\(name)", rows: userCount, width: embeddingSize),
        features: trainsFeatures
          ? list.add("features.\(name)", rows: itemCount, width: width, initializer: .pushed)
          : nil,
        projection: LinearLayer(
          "projection.\(name)", inputs: width, outputs: embeddingSize, in: &list))
    }
    return (list, places)
  }

  public var tables: [TableSpec] { list.specs }

  /// The parameters of a model with these sizes; a modality is its name and feature width.
  public static func tables(
    userCount: Int, itemCount: Int, modalities: [(name: String, width: Int)], embeddingSize: Int,
    trainsFeatures: Bool = true
  ) -> [TableSpec] {
    layout(
      userCount: userCount, itemCount: itemCount, modalities: modalities,
      embeddingSize: embeddingSize, trainsFeatures: trainsFeatures
    ).0.specs
  }

  public func initialValues(table: Int, rows: Range<Int>) -> Matrix {
    guard let modality = modalities.firstIndex(where: { $0.features == table })
    else { preconditionFailure("table \(tables[table].name) does not begin with data") }
    return features[modality].matrix(rows)
  }

  /// All rows: the network runs over the whole graph.
  public func rows(for batch: TripletBatch) -> [RowSelection] { tables.map { _ in .all } }

  public func propagate(
    on tape: Tape, parameters: [Variable], context: StepContext
  ) -> [Variable] {
    let blocks = blocks(on: tape, parameters, adjacency: graphs.principal(context))
    return blocks.users + blocks.items
  }

  /// Û_m `[U, d]` and Î_m `[I, d]` per modality.
  private func blocks(
    on tape: Tape, _ parameters: [Variable], adjacency: SparseMatrix
  ) -> (users: [Variable], items: [Variable]) {
    var (users, items): ([Variable], [Variable]) = ([], [])
    for (index, modality) in modalities.enumerated() {
      let features =
        modality.features.map { parameters[$0] } ?? tape.constant(frozenFeatures.value[index])
      let projected = tape.rowL2(modality.projection.apply(on: tape, features, parameters))
      let mean = tape.layerMean(
        adjacency, tape.concatenateRows([parameters[modality.user], projected]),
        layers: settings.layers)
      users.append(tape.rows(mean, 0..<userCount))
      items.append(
        tape.add(
          tape.rows(mean, userCount..<mean.rows), tape.multiply(itemGraph.value, projected)))
    }
    return (users, items)
  }

  public func content(on tape: Tape, _ input: BatchInput) -> Content {
    let (users, items) = (
      input.propagated[..<modalities.count], input.propagated[modalities.count...]
    )
    return Content(
      means: items.map { tape.gather($0, input.batch.distinctItems) },
      users: users.map { tape.gather($0, input.batch.distinctUsers) })
  }

  public func fused(
    on tape: Tape, _ input: BatchInput, content: Content, rows: BatchRows
  ) -> (users: Variable, items: Variable) {
    (tape.concatenateColumns(content.users), tape.concatenateColumns(content.means))
  }

  public func loss(
    on tape: Tape, _ input: BatchInput, content: Content, items: [Variable],
    likelihood: Likelihood
  ) -> [LossTerm] {
    let batch = input.batch
    let users = tape.concatenateColumns(content.users)
    let means = tape.concatenateColumns(content.means)
    let scored = content.isReplaced(by: items) ? tape.concatenateColumns(items) : means
    let ranking = tape.rankingTerm(
      users: users, items: scored, batch: batch, likelihood: likelihood, form: .softplus)
    guard settings.contrastiveWeight > 0 else { return [ranking] }
    func contrast(
      _ name: String, _ x: Variable, _ side: Side, _ ids: [Int32], _ index: [Int32]
    ) -> LossTerm {
      let views = (0..<2).map {
        dropout.apply(on: tape, x, view: $0, side, ids, input.context)
      }
      return tape.contrastiveTerm(
        name, views[0], index, views[1], index, temperature: Self.temperature,
        weight: Float(settings.contrastiveWeight) / 2, batch: batch)
    }
    return [
      ranking,
      contrast("contrast.user", users, .user, batch.distinctUsers, batch.userIndex),
      contrast("contrast.item", means, .item, batch.distinctItems, batch.positiveIndex),
    ]
  }

  /// A new item joins the graph of similar items with as many edges as the others have.
  public var newItemVectors: NewItemVectors? { .neighbours(count: settings.itemNeighbours) }

  public var final: FinalVectors {
    .whole(
      width: embeddingSize * modalities.count, tables: Array(tables.indices),
      isStale: settings.staleRanking.isStale(inReference: false)
    ) { tape, parameters, context in
      let blocks = blocks(
        on: tape, parameters, adjacency: context.map(graphs.principal) ?? graphs.whole())
      return (tape.concatenateColumns(blocks.users), tape.concatenateColumns(blocks.items))
    }
  }

  /// The vectors are `[X_1 | … | X_M]`, so that each block of columns is a part.
  public var scoreParts: [ScorePart] {
    features.enumerated().map { position, feature in
      ScorePart(
        name: feature.name, columns: position * embeddingSize..<(position + 1) * embeddingSize)
    }
  }
}

extension PGL {
  /// A model over a data set's graphs, which are built when it first propagates.
  public init(_ input: ModelInput, _ settings: SettingValues<Settings>) {
    let (first, count) = (Float(settings.firstModalityWeight), settings.itemNeighbours)
    let (dropout, rank) = (settings.edgeDropout, max(1, input.embeddingSize / 2))
    let isGlobal = settings.subgraph == .global
    self.init(
      userCount: input.userCount, itemCount: input.itemCount, features: input.features,
      embeddingSize: input.embeddingSize, settings: settings,
      graphs: Graphs(
        principal: { context in
          isGlobal
            ? input.requiredPrincipalAdjacency(rank: rank)
            : input.requiredGraphs.sampledAdjacency(
              dropout: dropout, seed: context.seed, epoch: context.epoch)
        },
        whole: { input.requiredGraphs.adjacency(.guarded) },
        items: { input.mixedItemNeighbours(first: first, count: count) }))
  }
}
