import Datasets
import Settings
import Tables
import Tensors

/// Multi-view graph convolutional network.
///
///     C    = mean_{l=0…L} Âˡ [P; Q]                       [N, d]  from the interactions
///     y_m  = Q ⊙ σ( G_m (W_m V_m + b_m) + g_m )           [I, d]  features, purified by behaviour
///     z_m  = [ R̂ M_m y_m ; M_m y_m ]                      [N, d]  the view of modality m
///     S    = Σ_m β_m z_m                                  [N, d]  what the modalities share
///     β    = softmax_m( aᵀ tanh(A z_m + a₀) )
///     r_m  = σ( G'_m C + g'_m ) ⊙ (z_m − S)               [N, d]  only in m, as preferred
///     side = (Σ_m r_m + S) / (number of modalities + 1)
///     [Û; Î] = C + side,  s(u, i) = ⟨Û_u, Î_i⟩
///
///     L = mean softplus(s(u,n) − s(u,p)) + λ ½ (‖Û_u‖² + ‖Î_p‖² + ‖Î_n‖²) / batch
///         + c [ InfoNCE(side_p, C_p) + InfoNCE(side_u, C_u) ],  τ = 0.2
///
/// Â is symmetrically normalised without ε and R̂ is its user × item block; M_m is the weighted
/// graph of an item's nearest neighbours by the initial features, never refreshed, and used once.
///
/// With sampled graphs C and z_m of a batch are estimates from samples of its neighbourhood in Â,
/// of the items of its users in R̂, and of the similar items in M_m (``NeighbourSampling``), so that
/// only the features of those are read; ranking uses the exact ones.
///
/// The fuser and everything after it work row by row: they run only on the rows of a batch, with
/// the same result as on all nodes. MRdIB attaches there: μ_m is the item view z_m.
///
/// - Parameters: user P `[U, d]`, item Q `[I, d]`, Xavier uniform; per modality a trainable copy
///   of the features V_m `[I, F_m]`, projection W_m, purifier G_m, preference gate G'_m; attention
///   A, a₀, a, shared by modalities; linear layers uniform in ±1/√inputs.
/// - Over several shards: ranking and regulariser add up; each InfoNCE is estimated among a shard's
///   own rows and averaged by shard size.
/// - Deviations from the paper, all as in the reference: `side` is divided by three (its eq. 15 is
///   not), the features are trained (``Settings/trainsFeatures`` `false` freezes them), and the
///   regulariser is divided by the configured batch size even in a last, smaller batch. More than
///   two modalities are ours: the softmax runs over all, and the divisor is one more than their
///   number.
/// - Source: Yu et al. 2023, arXiv:2308.03588, as in MMRec e775373 (`models/mgcn.py`).
public struct MGCN: NamedBackbone {
  public static let name = "mgcn"
  public static let samplesGraphs = true
  public static let needsFeatures = true
  public static let ranksNewItems = true
  public static let hasContent = true
  public static let defaults = """
    # MGCN: purified features, item views, attention fuser.
    reg_weight: 1e-4
    cl_weight: 0.01  # of the published grid 0.001, 0.01, 0.1
    lr_decay: 0.96
    lr_decay_period: 50
    """

  public struct Settings: SettingGroup {
    /// λ.
    public let regularization = CommonSettings.regularization
    /// L.
    public let layers = CommonSettings.layers
    public let itemNeighbours = CommonSettings.itemNeighbours
    /// c.
    public let contrastiveWeight = CommonSettings.contrastiveWeight
    /// As its paper has it, the features are fixed.
    public let trainsFeatures = CommonSettings.trainsFeatures
    public let graphMode = CommonSettings.graphMode
    public let fanOuts = CommonSettings.fanOuts

    public init() {}
  }

  private let sampling: NeighbourSampling?
  private let layout: Layout
  private let absence: AbsentModalities
  private let features: [FeatureMatrix]
  private let embeddingSize: Int
  /// The triplets of a full step.
  private let batchSize: Int
  private let settings: SettingValues<Settings>
  private let graphs: Lazy<ViewGraphs>
  /// F_m of all items, `[I, F_m]`; read only when the features are not trained.
  private let frozenFeatures: Lazy<[Matrix]>
  /// τ; the reference's `tau` option is not what it uses.
  private static let temperature: Float = 0.2

  /// - Parameters:
  ///   - sampling: how a step's neighbourhood is drawn, with views; nil propagates over whole
  ///     graphs.
  ///   - graphs: makes the graphs; called once, by a process that computes.
  /// - Precondition: at least one modality.
  package init(
    userCount: Int, itemCount: Int, features: [FeatureMatrix], embeddingSize: Int,
    batchSize: Int, settings: SettingValues<Settings>, sampling: NeighbourSampling? = nil,
    graphs: @escaping @Sendable () -> ViewGraphs
  ) {
    precondition(!features.isEmpty, "MGCN without features")
    self.features = features
    self.embeddingSize = embeddingSize
    absence = AbsentModalities(features)
    self.batchSize = batchSize
    self.settings = settings
    self.sampling = sampling
    self.graphs = Lazy(graphs)
    frozenFeatures = Lazy { features.map { $0.matrix(0..<$0.rows) } }
    layout = Layout(
      userCount: userCount, itemCount: itemCount,
      modalities: features.map { ($0.name, $0.columns) }, embeddingSize: embeddingSize,
      trainsFeatures: settings.trainsFeatures)
  }

  public var tables: [TableSpec] { layout.list.specs }

  /// The parameters of a model with these sizes; a modality is its name and feature width.
  public static func tables(
    userCount: Int, itemCount: Int, modalities: [(name: String, width: Int)],
    embeddingSize: Int, trainsFeatures: Bool = true
  ) -> [TableSpec] {
    Layout(
      userCount: userCount, itemCount: itemCount, modalities: modalities,
      embeddingSize: embeddingSize, trainsFeatures: trainsFeatures
    ).list.specs
  }

  public func initialValues(table: Int, rows: Range<Int>) -> Matrix {
    guard let modality = layout.modalities.firstIndex(where: { $0.features == table }) else {
      preconditionFailure("table \(table) of MGCN does not begin with data")
    }
    return features[modality].matrix(rows)
  }

  public func rows(for batch: TripletBatch) -> [RowSelection] { tables.map { _ in .all } }

  public func propagate(
    on tape: Tape, parameters: [Variable], context: StepContext
  ) -> [Variable] {
    sampling == nil ? propagatedViews(on: tape, parameters).variables : []
  }

  public func neighbourhood(of batch: TripletBatch, context: StepContext) -> Neighbourhood? {
    sampling?.neighbourhood(of: batch, context: context)
  }

  public func rows(for batch: TripletBatch, in neighbourhood: Neighbourhood) -> [RowSelection] {
    var rows = rows(for: batch)
    rows[layout.user] = .listed(neighbourhood.users)
    rows[layout.item] = .listed(neighbourhood.items)
    for (modality, similar) in zip(layout.modalities, neighbourhood.views?.similar ?? []) {
      if let table = modality.features { rows[table] = .listed(similar.sources) }
    }
    return rows
  }

  public func propagate(
    on tape: Tape, in neighbourhood: Neighbourhood, parameters: [Variable]
  ) -> [Variable] {
    guard let views = neighbourhood.views else { return [] }
    let items = parameters[layout.item]
    let content = tape.layerMean(
      in: neighbourhood, tape.concatenateRows([parameters[layout.user], items]))
    let viewed = layout.modalities.enumerated().map { index, modality in
      let similar = views.similar[index]
      let known =
        modality.features.map { parameters[$0] }
        ?? tape.constant(features[index].matrix(similar.sources))
      let purified = modality.purifier.apply(
        on: tape, tape.gather(items, neighbourhood.viewSources[index]), features: known, parameters)
      return tape.multiply(similar.matrix, purified)
    }
    let users = neighbourhood.batchUsers.count
    let itemViews = viewed.enumerated().map { index, view in
      absence.clearing(
        tape.gather(view, views.batchItems), of: views.batchItems.map { views.items[Int($0)] },
        index, on: tape)
    }
    return PropagatedViews(
      users: NodeViews(
        content: tape.rows(content, 0..<users),
        views: viewed.map { tape.multiply(views.userItem, $0) }),
      items: NodeViews(content: tape.rows(content, users..<content.rows), views: itemViews)
    ).variables
  }

  private func propagatedViews(on tape: Tape, _ parameters: [Variable]) -> PropagatedViews {
    let items = parameters[layout.item]
    let purified = layout.modalities.enumerated().map { index, modality in
      let features =
        modality.features.map { parameters[$0] } ?? tape.constant(frozenFeatures.value[index])
      return modality.purifier.apply(on: tape, items, features: features, parameters)
    }
    return graphs.value.propagate(
      on: tape, users: parameters[layout.user], items: items, purified: purified,
      layers: settings.layers
    ).clearing(absence, on: tape)
  }

  /// What the modalities add to the content of some nodes, `[J, d]`.
  private func side(
    on tape: Tape, _ nodes: NodeViews, _ parameters: [Variable]
  ) -> Variable {
    let shared = layout.attention.apply(on: tape, nodes.views, parameters)
    let own = zip(layout.modalities, nodes.views).map { modality, view in
      modality.preference.apply(
        on: tape, tape.subtract(view, shared), context: nodes.content, parameters)
    }
    let share = 1 / Float(nodes.views.count + 1)
    return tape.sum((own + [shared]).map { ($0, share) })
  }

  public func content(on tape: Tape, _ input: BatchInput) -> Content {
    PropagatedViews(input).content(on: tape, input.batch)
  }

  public func fused(
    on tape: Tape, _ input: BatchInput, content: Content, rows: BatchRows
  ) -> (users: Variable, items: Variable) {
    PropagatedViews(input).fused(on: tape, rows, content: content) {
      side(on: tape, $0, input.parameters)
    }
  }

  public func loss(
    on tape: Tape, _ input: BatchInput, content: Content, items: [Variable],
    likelihood: Likelihood
  ) -> [LossTerm] {
    let batch = input.batch
    let fused = FusedBatch(on: tape, input, content: content, items: items) {
      side(on: tape, $0, input.parameters)
    }
    let ranking = tape.rankingTerm(
      users: fused.users.vectors, items: fused.scoredItems, batch: batch, likelihood: likelihood,
      form: .softplus)
    return [ranking]
      + tape.sideRegularizers(
        users: fused.users, items: fused.items, batch: batch, batchSize: batchSize,
        regularization: Float(settings.regularization),
        contrast: Float(settings.contrastiveWeight), temperature: Self.temperature)
  }

  /// A new item joins the graph of similar items with as many edges as the others have.
  public var newItemVectors: NewItemVectors? { .neighbours(count: settings.itemNeighbours) }

  public var final: FinalVectors {
    .whole(
      width: embeddingSize, tables: Array(tables.indices), isStale: false
    ) { tape, parameters, _ in
      propagatedViews(on: tape, parameters).fused(on: tape) { side(on: tape, $0, parameters) }
    }
  }
}

extension MGCN {
  /// A model over a data set's graphs, which are built when it first computes.
  public init(_ input: ModelInput, _ settings: SettingValues<Settings>) {
    let graph = Lazy { input.requiredGraphs.interactionGraph(.exact) }
    let similar = Lazy {
      input.features.indices.map {
        input.requiredItemNeighbours(
          modality: $0, count: settings.itemNeighbours, weighting: .weighted)
      }
    }
    self.init(
      userCount: input.userCount, itemCount: input.itemCount, features: input.features,
      embeddingSize: input.embeddingSize, batchSize: input.batchSize, settings: settings,
      sampling: settings.graphMode == .sampled
        ? NeighbourSampling(
          userCount: input.userCount, layers: settings.layers, fanOuts: settings.fanOuts,
          views: { similar.value }, whole: { graph.value }
        ) { _ in graph.value } : nil
    ) {
      ViewGraphs(from: input) { store in
        ViewGraphs(
          adjacency: store.adjacency(.exact), userItem: store.userItem(.exact),
          itemItem: try input.features.indices.map {
            try store.itemNeighbours(
              modality: $0, count: settings.itemNeighbours, weighting: .weighted)
          })
      }
    }
  }
}

extension MGCN {
  /// Where each parameter is in the list of tables.
  private struct Layout: Sendable {
    struct Modality: Sendable {
      let purifier: Purifier
      let preference: Gate
      /// V_m, `[I, F_m]`; nil when the features are not trained.
      let features: Int?
    }

    let list: TableList
    let user: Int
    let item: Int
    let attention: AttentionFuser
    let modalities: [Modality]

    init(
      userCount: Int, itemCount: Int, modalities: [(name: String, width: Int)],
      embeddingSize: Int, trainsFeatures: Bool
    ) {
      var list = TableList()
      user = list.addEmbedding("user", rows: userCount, width: embeddingSize)
      item = list.addEmbedding("item", rows: itemCount, width: embeddingSize)
      attention = AttentionFuser("attention", width: embeddingSize, in: &list)
      self.modalities = modalities.map { name, width in
        Modality(
          purifier: Purifier(name, featureWidth: width, width: embeddingSize, in: &list),
          preference: Gate("\(name).preference", width: embeddingSize, in: &list),
          features: trainsFeatures
            ? list.add("\(name).features", rows: itemCount, width: width, initializer: .pushed)
            : nil)
      }
      self.list = list
    }
  }
}
