import Datasets
import Settings
import Tables
import Tensors

/// Contrastive second-order interest learning: MGCN's views over graphs of users' interests.
///
///     C    = mean_{l=0…L} Â'ˡ [P; Q]                      [N, d]  from the interactions
///     y_m  = Q ⊙ σ( G_m (W_m F_m + b_m) + g_m )           [I, d]  features, purified by behaviour
///     z_m  = [ R' M_m y_m ; M_m y_m ]                     [N, d]  the view of modality m
///     S    = Σ_m β_m z_m                                  [N, d]  what the modalities share
///     β    = softmax_m( aᵀ tanh(A z_m + a₀) )
///     side = (Σ_m z_m − S) / (number of modalities + 1)
///     [Û; Î] = C + side,  s(u, i) = ⟨Û_u, Î_i⟩
///
///     L = mean softplus(s(u,n) − s(u,p))
///         + c₁ [ InfoNCE(side_p, C_p) + InfoNCE(side_u, C_u) ]
///         + c₂ [ InfoNCE(Û_u, C_p) + InfoNCE(Û_u, side_p) ],  τ = 0.2
///
/// - Â' and R' are the normalised interactions plus half the second-order graph: items that
///   resemble a user's items in all modalities at once (k_a of them per user).
/// - M_m is the weighted graph of nearest neighbours plus the interest graph, which joins a user's
///   items with the k_i items nearest to all of them together.
///
/// The features are not trained: the projections of all items are computed again each step, from a
/// matrix that is gathered once per process. There is no regulariser.
///
/// The fuser and everything after it work row by row: they run only on the rows of a batch, with
/// the same result as on all nodes. MRdIB attaches there: μ_m is the item view z_m.
///
/// - Parameters: user P `[U, d]`, item Q `[I, d]`, Xavier uniform; per modality projection W_m and
///   purifier G_m; attention A, a₀, a, shared by modalities; linear layers uniform in ±1/√inputs.
/// - Over several shards: the ranking term adds up; each InfoNCE is estimated among a shard's own
///   rows and averaged by shard size.
/// - Deviations: as in the reference, R' is normalised with user degrees on the item side too;
///   ``SecondOrderDegrees/fixed`` takes the block of Â' instead. More than two modalities are ours,
///   as for ``MGCN``.
/// - Source: "Contrastive Second-Order Interest Learning for Multimodal Recommendation", code and
///   paper in MrShouxingMa/SOIL 76e6ca7.
public struct SOIL: NamedBackbone {
  public static let name = "soil"
  public static let needsFeatures = true
  public static let hasContent = true
  public static let defaults = """
    # SOIL: MGCN with interest-aware and second-order graphs. Published best for Amazon Baby; those
    # for Sports and Clothing are in Configs.
    reg_weight: 0  # not used by the loss
    interest_k: 10
    second_order_k: 2
    cl_weight: 0.01
    cl_weight_joint: 0.01
    lr_decay: 0.96
    lr_decay_period: 50
    stopping_step: 10
    sigma_init: relative  # noise of 1 drowns vectors as small as these; docs/Results.md
    """

  public struct Settings: SettingGroup {
    /// L.
    public let layers = CommonSettings.layers
    public let itemNeighbours = CommonSettings.itemNeighbours
    /// c₁.
    public let contrastiveWeight = CommonSettings.contrastiveWeight
    /// c₂.
    public let jointContrastiveWeight = Setting(
      "cl_weight_joint", default: 0.01, .weight, aliases: ["cl_loss2"],
      help: "Weight of SOIL's second contrastive loss (c₂).")
    /// k_i.
    public let interestCount = Setting(
      "interest_k", default: 10, .within(1...1000), unit: "items",
      help: "Items that a user's interest adds per modality (SOIL's k_i).")
    /// k_a.
    public let secondOrderCount = Setting(
      "second_order_k", default: 2, .within(0...1000), unit: "items",
      help: "Items per user that the second-order graph adds (SOIL's k_a).")
    public let secondOrderDegrees = Setting(
      "second_order_degrees", default: SecondOrderDegrees.faithful,
      help: "Degrees that normalise the second-order user-item graph: as SOIL's code has them, or"
        + " those of its own nodes.")

    public init() {}
  }

  private let layout: Layout
  private let absence: AbsentModalities
  private let embeddingSize: Int
  private let settings: SettingValues<Settings>
  private let graphs: Lazy<ViewGraphs>
  /// F_m of all items, `[I, F_m]`.
  private let features: Lazy<[Matrix]>
  private static let temperature: Float = 0.2

  /// - Parameter graphs: makes Â', R' and M_m; called once, by a process that computes.
  /// - Precondition: at least one modality.
  package init(
    userCount: Int, itemCount: Int, features: [FeatureMatrix], embeddingSize: Int,
    settings: SettingValues<Settings>,
    graphs: @escaping @Sendable () -> ViewGraphs
  ) {
    precondition(!features.isEmpty, "SOIL without features")
    self.embeddingSize = embeddingSize
    absence = AbsentModalities(features)
    self.settings = settings
    self.graphs = Lazy(graphs)
    self.features = Lazy { features.map { $0.matrix(0..<$0.rows) } }
    layout = Layout(
      userCount: userCount, itemCount: itemCount,
      modalities: features.map { ($0.name, $0.columns) }, embeddingSize: embeddingSize)
  }

  public var tables: [TableSpec] { layout.list.specs }

  /// The parameters of a model with these sizes; a modality is its name and feature width.
  public static func tables(
    userCount: Int, itemCount: Int, modalities: [(name: String, width: Int)], embeddingSize: Int
  ) -> [TableSpec] {
    Layout(
      userCount: userCount, itemCount: itemCount, modalities: modalities,
      embeddingSize: embeddingSize
    ).list.specs
  }

  public func rows(for batch: TripletBatch) -> [RowSelection] { tables.map { _ in .all } }

  public func propagate(
    on tape: Tape, parameters: [Variable], context: StepContext
  ) -> [Variable] {
    propagatedViews(on: tape, parameters).variables
  }

  private func propagatedViews(on tape: Tape, _ parameters: [Variable]) -> PropagatedViews {
    let items = parameters[layout.item]
    let purified = zip(layout.purifiers, features.value).map { purifier, features in
      purifier.apply(on: tape, items, features: tape.constant(features), parameters)
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
    let share = 1 / Float(nodes.views.count + 1)
    return tape.sum(nodes.views.map { ($0, share) } + [(shared, -share)])
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
    func contrast(
      _ name: String, _ x: Variable, _ xIndex: [Int32], _ y: Variable, _ yIndex: [Int32],
      weight: Float
    ) -> LossTerm {
      tape.contrastiveTerm(
        "contrast.\(name)", x, xIndex, y, yIndex, temperature: Self.temperature, weight: weight,
        batch: batch)
    }
    let (users, positives) = (batch.userIndex, batch.positiveIndex)
    let (c1, c2) = (
      Float(settings.contrastiveWeight), Float(settings.jointContrastiveWeight)
    )
    return [
      tape.rankingTerm(
        users: fused.users.vectors, items: fused.scoredItems, batch: batch,
        likelihood: likelihood, form: .softplus),
      contrast("item", fused.items.side, positives, fused.items.content, positives, weight: c1),
      contrast("user", fused.users.side, users, fused.users.content, users, weight: c1),
      contrast(
        "joint.content", fused.users.vectors, users, fused.items.content, positives, weight: c2),
      contrast(
        "joint.side", fused.users.vectors, users, fused.items.side, positives, weight: c2),
    ]
  }

  public var final: FinalVectors {
    .whole(
      width: embeddingSize, tables: Array(tables.indices), isStale: false
    ) { tape, parameters, _ in
      propagatedViews(on: tape, parameters).fused(on: tape) { side(on: tape, $0, parameters) }
    }
  }
}

/// Which degrees normalise SOIL's second-order user-item graph R'.
public enum SecondOrderDegrees: String, SettingChoice {
  /// Those of users on both sides, looked up by item id on the item side, as the reference does.
  case faithful
  /// Those of users and items: R' is the user × item block of Â'.
  case fixed
}

extension SOIL {
  /// A model over a data set's graphs, which are built when it first computes.
  public init(_ input: ModelInput, _ settings: SettingValues<Settings>) {
    self.init(
      userCount: input.userCount, itemCount: input.itemCount, features: input.features,
      embeddingSize: input.embeddingSize, settings: settings
    ) {
      ViewGraphs(from: input) { store in
        let secondOrder = try store.secondOrder(extra: settings.secondOrderCount)
        return ViewGraphs(
          adjacency: secondOrder.adjacency,
          userItem: settings.secondOrderDegrees == .fixed
            ? secondOrder.fixedUserItem : secondOrder.userItem,
          itemItem: try input.features.indices.map {
            try store.interestGraph(
              modality: $0, count: settings.interestCount, neighbours: settings.itemNeighbours)
          })
      }
    }
  }
}

extension SOIL {
  /// Where each parameter is in the list of tables.
  private struct Layout: Sendable {
    let list: TableList
    let user: Int
    let item: Int
    let attention: AttentionFuser
    let purifiers: [Purifier]

    init(
      userCount: Int, itemCount: Int, modalities: [(name: String, width: Int)],
      embeddingSize: Int
    ) {
      var list = TableList()
      user = list.addEmbedding("user", rows: userCount, width: embeddingSize)
      item = list.addEmbedding("item", rows: itemCount, width: embeddingSize)
      attention = AttentionFuser("attention", width: embeddingSize, in: &list)
      purifiers = modalities.map { name, width in
        Purifier(name, featureWidth: width, width: embeddingSize, in: &list)
      }
      self.list = list
    }
  }
}
