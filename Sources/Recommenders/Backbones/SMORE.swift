import Datasets
import Settings
import Tables
import Tensors

/// SMORE: denoises the modalities and fuses them in the frequency domain.
///
///     C    = mean_{l=0…L} Âˡ [P; Q]                                     [N, d]
///     x_m  = W_m V_m + b_m,  S_m = F x_m                                see `spectralFilter`
///     y_m  = Q ⊙ σ( G_m F⁻¹(w_m ⊙ S_m) + g_m )                          a modality, filtered
///     y_f  = Q ⊙ σ( G_f F⁻¹(w_f ⊙ Π_m S_m) + g_f )                      their fusion
///     z    = [ R̂ M y ; M y ] for y_m with M_m, and for y_f with M_f     [N, d]
///     a_m  = softmax( A_m tanh(B_m z_f + b_m) ) ⊙ z_m                   over the columns
///     side = 1 / (modalities + 1) · ( Σ_m drop σ(H_m C + h_m) ⊙ a_m + drop σ(H_f C + h_f) ⊙ z_f )
///     [Û; Î] = C + side,  s(u, i) = ⟨Û_u, Î_i⟩
///
///     L = mean softplus(s(u,n) − s(u,p)) + λ ½ (‖Û_u‖² + ‖Î_p‖² + ‖Î_n‖²) / batch
///         + c [ InfoNCE(side_p, C_p) + InfoNCE(side_u, C_u) ],  τ = 0.2
///
/// Graphs are those of ``MGCN``; each modality's may have another number of neighbours, and M_f has
/// the largest entry of all of them at every position that one of them has.
///
/// Everything after z works row by row, and runs only on the rows of a batch. MRdIB attaches there:
/// μ_m is the item view z_m. The fusion z_f stays as it is.
///
/// Published Recall@20 / NDCG@20 (table 2 of the paper): Baby .1035 / .0457, Sports .1142 / .0506,
/// Clothing .0987 / .0443.
///
/// - Parameters: user P `[U, d]`, item Q `[I, d]`, Xavier uniform; per modality a trainable copy
///   of the features V_m `[I, F_m]`, projection W_m, filter w_m `[K, 2]` standard normal, purifier
///   G_m, preference H_m, query B_m, A_m; for the fusion a filter, purifier and preference; linear
///   layers uniform in ±1/√inputs.
/// - Over several shards: ranking and regulariser add up; each InfoNCE is estimated among a shard's
///   own rows and averaged by shard size.
/// - Deviations: where similarities add up to nothing or less, a graph's entries are 0 (the
///   reference gets NaN); more than two modalities are ours. As in the reference the features are
///   trained (`trainable_features`) and the regulariser is divided by the configured batch size.
/// - Source: Ong and Khong 2025, "Spectrum-based Modality Representation Fusion Graph Convolutional
///   Network for Multimodal Recommendation", arXiv:2412.14978, as in kennethorq/SMORE 0148d92 and,
///   the same, in MMRec e775373 (`models/smore.py`).
public struct SMORE: NamedBackbone {
  public static let name = "smore"
  public static let needsFeatures = true
  public static let ranksNewItems = true
  public static let hasContent = true
  public static let defaults = """
    # SMORE: modalities denoised and fused as spectra. Its authors' settings of Baby.
    n_layers: 4        # published: 4 Baby, 3 Sports, 3 Clothing
    knn_k: 40          # published: 40 Baby, 10 Sports, 40 Clothing
    knn_k_others: 15   # published: 15 Baby, 10 Sports, 10 Clothing
    cl_weight: 0.01    # published: 0.01 Baby, 0.03 Sports, 0.01 Clothing
    reg_weight: 1e-4   # published: 1e-4 Baby, 1e-4 Sports, 1e-5 Clothing
    view_dropout: 0.1  # published: 0.1 Baby, 0 Sports, 0 Clothing
    lr_decay: 0.96
    lr_decay_period: 50
    """

  public struct Settings: SettingGroup {
    /// λ.
    public let regularization = CommonSettings.regularization
    /// L.
    public let layers = CommonSettings.layers
    /// Of the first modality.
    public let itemNeighbours = CommonSettings.itemNeighbours
    public let otherItemNeighbours = Setting(
      "knn_k_others", default: 10, .within(1...1000), unit: "items", aliases: ["text_knn_k"],
      help: "Neighbours of an item in the graphs of SMORE's modalities after the first, the item"
        + " itself included (published: 10 or 15).")
    /// c.
    public let contrastiveWeight = CommonSettings.contrastiveWeight
    public let viewDropout = CommonSettings.viewDropout
    public let trainsFeatures = CommonSettings.trainsFeatures

    public init() {}
  }

  private let layout: Layout
  private let features: [FeatureMatrix]
  private let embeddingSize: Int
  /// The triplets of a full step.
  private let batchSize: Int
  private let settings: SettingValues<Settings>
  private let graphs: Lazy<ViewGraphs>
  private let dropout: ViewDropout
  /// F_m of all items; read only when the features are not trained.
  private let frozenFeatures: Lazy<[Matrix]>
  private static let temperature: Float = 0.2

  /// - Parameters:
  ///   - draws: of the dropout; nil for what the run's seed says.
  ///   - graphs: makes the graphs, M_m and then M_f; called once, by a process that computes.
  /// - Precondition: at least one modality.
  package init(
    userCount: Int, itemCount: Int, features: [FeatureMatrix], embeddingSize: Int,
    batchSize: Int, settings: SettingValues<Settings>, draws: ViewDropout.Draws? = nil,
    graphs: @escaping @Sendable () -> ViewGraphs
  ) {
    precondition(!features.isEmpty, "SMORE without features")
    self.features = features
    self.embeddingSize = embeddingSize
    self.batchSize = batchSize
    self.settings = settings
    self.graphs = Lazy(graphs)
    dropout = ViewDropout(share: settings.viewDropout, draws: draws)
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
    guard let modality = layout.modalities.firstIndex(where: { $0.features == table })
    else { preconditionFailure("table \(tables[table].name) does not begin with data") }
    return features[modality].matrix(rows)
  }

  public func rows(for batch: TripletBatch) -> [RowSelection] { tables.map { _ in .all } }

  public func propagate(
    on tape: Tape, parameters: [Variable], context: StepContext
  ) -> [Variable] {
    propagatedViews(on: tape, parameters).variables
  }

  /// C and z_m of all nodes; the last view is z_f.
  private func propagatedViews(on tape: Tape, _ parameters: [Variable]) -> PropagatedViews {
    let items = parameters[layout.item]
    let projected = layout.modalities.enumerated().map { index, modality in
      modality.projection.apply(
        on: tape,
        modality.features.map { parameters[$0] } ?? tape.constant(frozenFeatures.value[index]),
        parameters)
    }
    func purified(_ view: Layout.View, _ factors: [Variable]) -> Variable {
      view.purifier.apply(
        on: tape, items,
        context: tape.spectralFilter(factors, weight: parameters[view.filter]), parameters)
    }
    return graphs.value.propagate(
      on: tape, users: parameters[layout.user], items: items,
      purified: zip(layout.modalities, projected).map { purified($0.view, [$1]) }
        + [purified(layout.fusion, projected)],
      layers: settings.layers)
  }

  /// What the modalities and their fusion add to the content of some nodes, `[J, d]`.
  ///
  /// - Parameter dropped: drops elements of the weighted view of a modality, or of the fusion (the
  ///   last).
  private func side(
    on tape: Tape, _ nodes: NodeViews, _ parameters: [Variable],
    dropped: (_ view: Variable, _ index: Int) -> Variable = { view, _ in view }
  ) -> Variable {
    let count = layout.modalities.count
    let fusion = nodes.views[count]
    let attended = zip(layout.modalities, nodes.views).map { modality, view in
      modality.attention.apply(on: tape, view, context: fusion, parameters)
    }
    let gates = layout.modalities.map(\.view.preference) + [layout.fusion.preference]
    let parts = zip(gates, attended + [fusion]).enumerated().map { index, part in
      dropped(
        part.0.apply(on: tape, part.1, context: nodes.content, parameters), index)
    }
    let share = 1 / Float(count + 1)
    return tape.sum(parts.map { ($0, share) })
  }

  public func content(on tape: Tape, _ input: BatchInput) -> Content {
    let all = PropagatedViews(input).content(on: tape, input.batch)
    return Content(means: all.means.dropLast(), users: all.users.dropLast())
  }

  public func fused(
    on tape: Tape, _ input: BatchInput, content: Content, rows: BatchRows
  ) -> (users: Variable, items: Variable) {
    let propagated = PropagatedViews(input)
    return (
      nodes(on: tape, input, propagated.users, .user, rows.users, views: content.users).vectors,
      nodes(on: tape, input, propagated.items, .item, rows.items, views: content.means).vectors
    )
  }

  /// Some users or items, with given views of their modalities.
  private func nodes(
    on tape: Tape, _ input: BatchInput, _ all: NodeViews, _ kind: Side, _ ids: [Int32],
    views: [Variable]
  ) -> FusedNodes {
    let fusion = tape.gather(all.views[layout.modalities.count], ids)
    return FusedNodes(
      on: tape, NodeViews(content: tape.gather(all.content, ids), views: views + [fusion])
    ) { nodes in
      side(on: tape, nodes, input.parameters) { view, index in
        dropout.apply(on: tape, view, view: index, kind, ids, input.context)
      }
    }
  }

  public func loss(
    on tape: Tape, _ input: BatchInput, content: Content, items: [Variable],
    likelihood: Likelihood
  ) -> [LossTerm] {
    let batch = input.batch
    let propagated = PropagatedViews(input)
    let users = nodes(
      on: tape, input, propagated.users, .user, batch.distinctUsers, views: content.users)
    let means = nodes(
      on: tape, input, propagated.items, .item, batch.distinctItems, views: content.means)
    let scored =
      content.isReplaced(by: items)
      ? nodes(on: tape, input, propagated.items, .item, batch.distinctItems, views: items) : means
    let ranking = tape.rankingTerm(
      users: users.vectors, items: scored.vectors, batch: batch, likelihood: likelihood,
      form: .softplus)
    return [ranking]
      + tape.sideRegularizers(
        users: users, items: means, batch: batch, batchSize: batchSize,
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

extension SMORE {
  /// A model over a data set's graphs, which are built when it first computes.
  public init(_ input: ModelInput, _ settings: SettingValues<Settings>) {
    self.init(
      userCount: input.userCount, itemCount: input.itemCount, features: input.features,
      embeddingSize: input.embeddingSize, batchSize: input.batchSize, settings: settings
    ) {
      ViewGraphs(from: input) { store in
        let graphs = try input.features.indices.map {
          try store.itemNeighbours(
            modality: $0,
            count: $0 == 0 ? settings.itemNeighbours : settings.otherItemNeighbours,
            weighting: .weighted)
        }
        return ViewGraphs(
          adjacency: store.adjacency(.exact), userItem: store.userItem(.exact),
          itemItem: graphs + [SparseMatrix.maximum(graphs)])
      }
    }
  }
}
