import Datasets
import Settings
import Tables
import Tensors

/// LATTICE: LightGCN with a graph of similar items that is learned along with it.
///
///     [G_u; G_i] = 1 / (L + 1) · Σ_{l = 0 … L} Bˡ [P; Q],  B = D⁻¹ (A + 1)
///     p_m = W_m V_m + b_m,  β = softmax(w)
///     h = (1 − λ₀) S(p, β) Q + λ₀ Σ_m β_m M_m Q
///     Û = G_u,  Î = G_i + rowL2(h),  s(u, i) = ⟨Û_u, Î_i⟩
///     L = mean softplus(s(u,n) − s(u,p)) + λ ½ (‖Û_u‖² + ‖Î_p‖² + ‖Î_n‖²) / batch
///
/// S is a ``LearnedItemGraph``, and M_m the weighted graph of nearest items by the given features,
/// as of ``MGCN``. An epoch's first step builds S and trains V, W, b and w through it. The other
/// steps propagate over the same S as a constant: p and β of the first step are kept in tables on
/// the servers, so that every worker has them, also one that joins in the middle of an epoch. An
/// evaluation builds S of the present parameters.
///
/// **MRdIB** has no place in the score, which contains no content. As in ``FREEDOM``, the p_m of
/// the batch's items are μ_m, Û is their user, and the joint likelihood is of Û and, with ranked
/// means, Î plus the mean of the z, with ranked samples that mean alone (``Content/jointUsers``).
/// The published objective does not say where it would go; this is ours.
///
/// Published Recall@20 on Baby, Sports and Clothing, in the toolbox's setting: .0850, .0953, .0733
/// (from the tables of BM3 and FREEDOM; LATTICE's own paper has other data).
///
/// - Parameters: user P `[U, d]` and item Q `[I, d]` Xavier uniform; per modality features.m V_m
///   `[I, F_m]`, the features, projection.m.weight W_m `[d, F_m]` and bias, uniform in ±1/√F_m;
///   modality.weight w `[1, M]`, 0.5. Not trained: graph.m `[I, d]` and graph.weight `[1, M]`.
/// - Over several shards all terms add up.
/// - Deviations: where similarities add up to nothing or less, their entries are 0 (the reference
///   gets NaN); more than two modalities are ours. Of the three models of the interactions in the
///   reference this is LightGCN, its default, which has self loops and row means.
/// - Source: Zhang et al. 2021, "Mining Latent Structures for Multimedia Recommendation",
///   arXiv:2104.09036, as in MMRec e775373 (`models/lattice.py`), which also trains the features.
public struct LATTICE: NamedBackbone {
  public static let name = "lattice"
  public static let needsFeatures = true
  public static let ranksNewItems = true
  public static let hasContent = true
  public static let defaults = """
    # LATTICE: an item graph that is learned. No best settings are published.
    reg_weight: 1e-3  # of the toolbox's grid 0, 1e-5, 1e-4, 1e-3
    lr_decay: 0.96
    lr_decay_period: 50
    """

  public struct Settings: SettingGroup {
    /// λ.
    public let regularization = CommonSettings.regularization
    /// L.
    public let layers = CommonSettings.layers
    public let itemNeighbours = CommonSettings.itemNeighbours
    /// λ₀.
    public let givenGraphWeight = Setting(
      "given_graph_weight", default: 0.9, .within(0...1), aliases: ["lambda_coeff"],
      help: "Share of the graphs of the given features in LATTICE's item graph; the rest is"
        + " learned.")
    public let trainsFeatures = CommonSettings.trainsFeatures
    /// The reference ranks with freshly propagated vectors.
    public let staleRanking = CommonSettings.staleRanking

    public init() {}
  }

  /// The graphs; each is asked for when it is first needed.
  package struct Graphs: Sendable {
    /// B, `[U + I, U + I]`.
    let interactions: @Sendable () -> SparseMatrix
    /// M_m, `[I, I]`, per modality.
    let given: @Sendable () -> [SparseMatrix]

    package init(
      interactions: @escaping @Sendable () -> SparseMatrix,
      given: @escaping @Sendable () -> [SparseMatrix]
    ) {
      self.interactions = interactions
      self.given = given
    }
  }

  private let layout: Layout
  private let userCount: Int
  private let itemCount: Int
  private let features: [FeatureMatrix]
  private let embeddingSize: Int
  /// The triplets of a full step.
  private let batchSize: Int
  private let settings: SettingValues<Settings>
  private let interactions: Lazy<SparseMatrix>
  private let given: Lazy<[SparseMatrix]>
  /// F_m of all items; read only when the features are not trained.
  private let frozenFeatures: Lazy<[Matrix]>
  /// S after the first step of an epoch.
  private let kept = LatestValue<Int, LearnedItemGraph>()

  /// - Precondition: at least one modality.
  package init(
    userCount: Int, itemCount: Int, features: [FeatureMatrix], embeddingSize: Int,
    batchSize: Int, settings: SettingValues<Settings>, graphs: Graphs
  ) {
    precondition(!features.isEmpty, "LATTICE without features")
    self.userCount = userCount
    self.itemCount = itemCount
    self.features = features
    self.embeddingSize = embeddingSize
    self.batchSize = batchSize
    self.settings = settings
    interactions = Lazy(graphs.interactions)
    given = Lazy(graphs.given)
    frozenFeatures = Lazy { features.map { $0.matrix(0..<$0.rows) } }
    layout = Layout(
      userCount: userCount, itemCount: itemCount,
      modalities: features.map { ($0.name, $0.columns) }, embeddingSize: embeddingSize,
      trainsFeatures: settings.trainsFeatures)
  }

  public var tables: [TableSpec] { layout.list.specs }

  /// The parameters of a model with these sizes; a modality is its name and feature width.
  public static func tables(
    userCount: Int, itemCount: Int, modalities: [(name: String, width: Int)], embeddingSize: Int,
    trainsFeatures: Bool = true
  ) -> [TableSpec] {
    Layout(
      userCount: userCount, itemCount: itemCount, modalities: modalities,
      embeddingSize: embeddingSize, trainsFeatures: trainsFeatures
    ).list.specs
  }

  public func initialValues(table: Int, rows: Range<Int>) -> Matrix {
    guard let modality = layout.modalities.firstIndex(where: { $0.features == table })
    else { preconditionFailure("table \(tables[table].name) does not begin with data") }
    return features[modality].matrix(rows)
  }

  /// All rows: the network runs over the whole graph.
  public func rows(for batch: TripletBatch) -> [RowSelection] { tables.map { _ in .all } }

  /// Û and Î; in an epoch's first step also the p_m and β.
  public func propagate(
    on tape: Tape, parameters: [Variable], context: StepContext
  ) -> [Variable] {
    guard context.step > 0 else {
      let learned = learned(on: tape, parameters)
      let (user, item) = forward(on: tape, parameters, learned, graph: graph(of: learned))
      return [user, item] + learned.projected + [learned.weights]
    }
    let learned = Learned(
      projected: layout.modalities.map { tape.detached(parameters[$0.kept]) },
      weights: tape.detached(parameters[layout.keptWeight]))
    let graph = kept.value(of: context.epoch, or: { self.graph(of: learned) })
    let (user, item) = forward(on: tape, parameters, learned, graph: graph)
    return [user, item]
  }

  /// What the learned graph consists of.
  private struct Learned {
    /// p_m, `[I, d]`.
    let projected: [Variable]
    /// β, `[1, M]`.
    let weights: Variable
  }

  private func learned(on tape: Tape, _ parameters: [Variable]) -> Learned {
    Learned(
      projected: layout.modalities.enumerated().map { index, modality in
        modality.projection.apply(
          on: tape,
          modality.features.map { parameters[$0] } ?? tape.constant(frozenFeatures.value[index]),
          parameters)
      }, weights: tape.rowSoftmax(parameters[layout.weight]))
  }

  private func graph(of learned: Learned) -> LearnedItemGraph {
    LearnedItemGraph(
      learned.projected.map(\.value), modalities: features, count: settings.itemNeighbours)
  }

  /// Û `[U, d]` and Î `[I, d]`.
  private func forward(
    on tape: Tape, _ parameters: [Variable], _ learned: Learned, graph: LearnedItemGraph
  ) -> (user: Variable, item: Variable) {
    let items = parameters[layout.item]
    let mean = tape.layerMean(
      interactions.value, tape.concatenateRows([parameters[layout.user], items]),
      layers: settings.layers)
    let ones = Matrix(rows: itemCount, columns: 1)
    ones.fill(1)
    let ofGiven = tape.weightedRowSum(
      given.value.map { tape.multiply($0, items) },
      weights: tape.multiply(tape.constant(ones), learned.weights))
    let ofLearned = graph.propagate(
      on: tape, items, projected: learned.projected, weights: learned.weights)
    let share = Float(settings.givenGraphWeight)
    let similar = tape.sum([(ofLearned, 1 - share), (ofGiven, share)])
    return (
      tape.rows(mean, 0..<userCount),
      tape.add(tape.rows(mean, userCount..<mean.rows), tape.rowL2(similar))
    )
  }

  /// p and β of an epoch's first step.
  public func averages(_ input: BatchInput) -> [Int: Matrix] {
    guard input.context.step == 0 else { return [:] }
    let values = input.propagated[2...].map(\.value)
    return Dictionary(
      uniqueKeysWithValues: zip(layout.modalities.map(\.kept) + [layout.keptWeight], values))
  }

  public func content(on tape: Tape, _ input: BatchInput) -> Content {
    let items = input.batch.distinctItems
    let means = layout.modalities.enumerated().map { index, modality in
      let rows =
        modality.features.map { tape.gather(input.parameters[$0], items) }
        ?? tape.gather(tape.constant(frozenFeatures.value[index]), items)
      return modality.projection.apply(on: tape, rows, input.parameters)
    }
    let users = tape.gather(input.propagated[0], input.batch.distinctUsers)
    return Content(means: means, users: means.map { _ in users }, jointUsers: users)
  }

  public func fused(
    on tape: Tape, _ input: BatchInput, content: Content, rows: BatchRows
  ) -> (users: Variable, items: Variable) {
    let ranked = tape.gather(input.propagated[1], rows.items)
    let share = 1 / Float(content.means.count)
    return (content.users[0], tape.sum([(ranked, 1)] + content.means.map { ($0, share) }))
  }

  public func loss(
    on tape: Tape, _ input: BatchInput, content: Content, items: [Variable],
    likelihood: Likelihood
  ) -> [LossTerm] {
    let batch = input.batch
    let users = content.users[0]
    let ranked = tape.gather(input.propagated[1], batch.distinctItems)
    return [
      tape.rankingTerm(
        users: users, items: ranked, batch: batch, likelihood: likelihood, form: .softplus)
    ]
      + tape.halfSquares(
        users: users, items: ranked, batch: batch, batchSize: batchSize,
        weight: Float(settings.regularization))
  }

  /// A new item joins the graph of similar items with as many edges as the others have.
  public var newItemVectors: NewItemVectors? { .neighbours(count: settings.itemNeighbours) }

  public var final: FinalVectors {
    .whole(
      width: embeddingSize, tables: layout.rankingTables,
      isStale: settings.staleRanking.isStale(inReference: false)
    ) { tape, parameters, _ in
      let learned = learned(on: tape, parameters)
      return forward(on: tape, parameters, learned, graph: graph(of: learned))
    }
  }
}

extension LATTICE {
  /// A model over a data set's graphs, which are built when it first propagates.
  public init(_ input: ModelInput, _ settings: SettingValues<Settings>) {
    self.init(
      userCount: input.userCount, itemCount: input.itemCount, features: input.features,
      embeddingSize: input.embeddingSize, batchSize: input.batchSize, settings: settings,
      graphs: Graphs(
        interactions: { input.requiredGraphs.meanAdjacencyWithLoops() },
        given: {
          input.features.indices.map {
            input.requiredItemNeighbours(
              modality: $0, count: settings.itemNeighbours, weighting: .weighted)
          }
        }))
  }
}

extension LATTICE {
  /// Where each parameter is in the list of tables.
  private struct Layout: Sendable {
    struct Modality: Sendable {
      /// V_m, `[I, F_m]`; nil when the features are not trained.
      let features: Int?
      let projection: LinearLayer
      /// p_m of the epoch's first step, `[I, d]`.
      var kept = 0
    }

    let list: TableList
    let user: Int
    let item: Int
    /// w.
    let weight: Int
    let modalities: [Modality]
    /// β of the epoch's first step.
    let keptWeight: Int

    init(
      userCount: Int, itemCount: Int, modalities: [(name: String, width: Int)],
      embeddingSize: Int, trainsFeatures: Bool
    ) {
      var list = TableList()
      user = list.addEmbedding("user", rows: userCount, width: embeddingSize)
      item = list.addEmbedding("item", rows: itemCount, width: embeddingSize)
      weight = list.add(
        "modality.weight", rows: 1, width: modalities.count, initializer: .constant(0.5))
      var places = modalities.map { name, width in
        Modality(
          features: trainsFeatures
            ? list.add("features.\(name)", rows: itemCount, width: width, initializer: .pushed)
            : nil,
          projection: LinearLayer(
            "projection.\(name)", inputs: width, outputs: embeddingSize, in: &list))
      }
      for (index, modality) in modalities.enumerated() {
        places[index].kept = list.addKept(
          "graph.\(modality.name)", rows: itemCount, width: embeddingSize)
      }
      keptWeight = list.addKept("graph.weight", rows: 1, width: modalities.count)
      self.modalities = places
      self.list = list
    }

    /// What the final vectors depend on.
    var rankingTables: [Int] {
      list.specs.indices.filter { list.specs[$0].parameterCount > 0 }
    }
  }
}
