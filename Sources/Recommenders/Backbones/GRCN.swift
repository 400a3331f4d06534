import Datasets
import Settings
import Tables
import Tensors

/// GRCN: each modality weighs the edges of the interaction graph by attention, and id vectors are
/// propagated with the resulting weights.
///
/// Per modality, over the edges e from s_e to t_e in both directions:
///
///     x_m = [rowL2(Φ_m); rowL2(LReLU(W_m F_m + b_m))]           users above items
///     α_m = softmax over the edges to a node of ⟨x_m[t_e], x_m[s_e]⟩
///     r_m = x_m + Σ_e α_{m,e} x_m[s_e]
///
/// Ids, with w_e = max(0, max_m α_{m,e} κ[s_e, m]) and (w x)[t] = Σ_e w_e x[s_e]:
///
///     x = rowL2(E),  r = x + w x + w (w x)
///     [Û; Î] = [r | r_1 | … | r_M],  s(u, i) = ⟨Û_u, Î_i⟩
///
///     L = mean softplus(−(s(u,p) − s(u,n)))
///         + λ [ mean(E_u² + E_i²) + mean(Φ_1²) + Σ_m mean(Φ_m[u]²) ]
///
/// where i runs over positive and negative items, and mean(Φ_1²) over all users.
///
/// **Routing** refines the users' preferences by attention over their items before the above:
/// three times `p ← rowL2(p + Σ α f)`. The reference lays the edges for it only from users to
/// items, so that nothing reaches the users; `routing` switches the intended routing on.
///
/// - Parameters: confidence κ `[U + I, M]` and id E `[U + I, d]`, Xavier normal; per modality
///   preference.m Φ_m `[U, d]` Xavier normal, projection.m.weight W_m `[d, F_m]` Xavier normal and
///   projection.m.bias b_m `[1, d]` uniform in ±1/√F_m. Features F_m are constant.
/// - Memory: a copy of all features as 32-bit floats.
/// - Source: Wei et al. 2020, ACM Multimedia, "Graph-Refined Convolutional Network for Multimedia
///   Recommendation with Implicit Feedback"; as in MMRec e775373 (`models/grcn.py`), which ranks
///   with the vectors of the last training forward. The ranking loss is computed in its stable
///   form.
public struct GRCN: NamedBackbone {
  public static let name = "grcn"
  public static let needsFeatures = true
  public static let hasScoreParts = true
  public static let defaults = """
    # GRCN: graph refinement by content; a baseline without MRdIB.
    objective: plain
    learning_rate: 1e-4  # best of published logs
    reg_weight: 0        # best of published logs
    """

  public struct Settings: SettingGroup {
    /// λ.
    public let regularization = CommonSettings.regularization
    /// Whether routing reaches the users; see ``GRCN``.
    public let isRouted = Setting(
      "routing", default: false,
      help: "GRCN's routing reaches the users, as its paper has it; its code's does not.")
    /// The reference ranks with the vectors of the last training forward.
    public let staleRanking = CommonSettings.staleRanking

    public init() {}
  }

  /// How often routing refines the users' preferences.
  private static let routingCount = 3

  public let tables: [TableSpec]
  private let userCount: Int
  private let itemCount: Int
  /// d of each part of a vector.
  private let embeddingSize: Int
  private let settings: SettingValues<Settings>
  private let modalities: [Modality]
  /// Both directions of every interaction, `[U + I, U + I]`.
  private let edges: Lazy<EdgeList>
  /// From items to users, `[U, I]`.
  private let userEdges: Lazy<EdgeList>

  /// What belongs to one modality.
  private struct Modality: Sendable {
    let name: String
    /// F_m, `[I, F]`.
    let features: Lazy<Matrix>
    /// Tables.
    let preference: Int
    var weight: Int { preference + 1 }
    var bias: Int { preference + 2 }
  }

  /// - Parameters:
  ///   - adjacency: any matrix `[U + I, U + I]` with an entry for every training interaction in
  ///     both directions; its values are not used.
  ///   - userItem: any matrix `[U, I]` with an entry for every training interaction.
  /// - Precondition: at least one modality.
  public init(
    userCount: Int, itemCount: Int, features: [FeatureMatrix], embeddingSize: Int,
    settings: SettingValues<Settings>, adjacency: @escaping @Sendable () -> SparseMatrix,
    userItem: @escaping @Sendable () -> SparseMatrix
  ) {
    precondition(!features.isEmpty, "GRCN without features")
    self.userCount = userCount
    self.itemCount = itemCount
    self.embeddingSize = embeddingSize
    self.settings = settings
    edges = Lazy { EdgeList(adjacency()) }
    userEdges = Lazy { EdgeList(userItem()) }
    modalities = features.enumerated().map { index, feature in
      Modality(
        name: feature.name,
        features: Lazy { feature.matrix(0..<feature.rows) },
        preference: 2 + 3 * index)
    }
    tables = Self.tables(
      userCount: userCount, itemCount: itemCount,
      modalities: features.map { ($0.name, $0.columns) }, embeddingSize: embeddingSize)
  }

  /// The parameters of a model with these sizes; a modality is a name and a width.
  public static func tables(
    userCount: Int, itemCount: Int, modalities: [(name: String, width: Int)], embeddingSize: Int
  ) -> [TableSpec] {
    func xavier(_ name: String, rows: Int, width: Int) -> TableSpec {
      TableSpec(
        name: name, rows: rows, width: width,
        initializer: .xavierNormal(rows: rows, columns: width))
    }
    let nodeCount = userCount + itemCount
    return [
      xavier("confidence", rows: nodeCount, width: modalities.count),
      xavier("id", rows: nodeCount, width: embeddingSize),
    ]
      + modalities.flatMap { name, width in
        [
          xavier("preference.\(name)", rows: userCount, width: embeddingSize),
          xavier("projection.\(name).weight", rows: embeddingSize, width: width),
          TableSpec(
            name: "projection.\(name).bias", rows: 1, width: embeddingSize,
            initializer: .linear(inputs: width)),
        ]
      }
  }

  public func rows(for batch: TripletBatch) -> [RowSelection] { tables.map { _ in .all } }

  public func propagate(
    on tape: Tape, parameters: [Variable], context: StepContext
  ) -> [Variable] {
    let (user, item) = forward(on: tape, parameters)
    return [user, item]
  }

  /// Û `[U, (1 + M) d]` and Î `[I, (1 + M) d]`.
  private func forward(
    on tape: Tape, _ parameters: [Variable]
  ) -> (user: Variable, item: Variable) {
    let edges = edges.value
    let branches = modalities.map { branch(on: tape, $0, parameters, edges) }
    let weights = tape.largestProduct(
      branches.map(\.attention), scales: parameters[0], edges.sources)
    let first = tape.rowL2(parameters[1])
    let second = tape.multiply(edges, weights: weights, first)
    let third = tape.multiply(edges, weights: weights, second)
    let ids = tape.sum([(first, 1), (second, 1), (third, 1)])
    let vectors = tape.concatenateColumns([ids] + branches.map(\.vectors))
    return (
      tape.rows(vectors, 0..<userCount), tape.rows(vectors, userCount..<userCount + itemCount)
    )
  }

  /// r_m `[U + I, d]` and α_m `[edges, 1]`.
  private func branch(
    on tape: Tape, _ modality: Modality, _ parameters: [Variable], _ edges: EdgeList
  ) -> (vectors: Variable, attention: Variable) {
    let items = tape.rowL2(
      tape.leakyReLU(
        tape.linear(
          tape.constant(modality.features.value), parameters[modality.weight],
          bias: parameters[modality.bias])))
    var users = tape.rowL2(parameters[modality.preference])
    if settings.isRouted {
      let userEdges = userEdges.value
      for _ in 0..<Self.routingCount {
        let attention = attend(on: tape, userEdges, targets: users, sources: items)
        users = tape.rowL2(
          tape.add(users, tape.multiply(userEdges, weights: attention, items)))
      }
    }
    let nodes = tape.concatenateRows([users, items])
    let attention = attend(on: tape, edges, targets: nodes, sources: nodes)
    return (tape.add(nodes, tape.multiply(edges, weights: attention, nodes)), attention)
  }

  /// Softmax over the edges to each target of ⟨target, source⟩, `[edges, 1]`.
  private func attend(
    on tape: Tape, _ edges: EdgeList, targets: Variable, sources: Variable
  ) -> Variable {
    tape.edgeSoftmax(tape.rowDot(targets, edges.targets, sources, edges.sources), over: edges)
  }

  public func loss(
    on tape: Tape, _ input: BatchInput, content: Content, items: [Variable],
    likelihood: Likelihood
  ) -> [LossTerm] {
    let batch = input.batch
    let ranking = tape.rankingTerm(
      users: tape.gather(input.propagated[0], batch.distinctUsers),
      items: tape.gather(input.propagated[1], batch.distinctItems),
      batch: batch, likelihood: likelihood, form: .softplus)
    return [ranking] + regularizers(on: tape, input.parameters, batch: batch)
  }

  /// The four means of squares, weighed by λ.
  private func regularizers(
    on tape: Tape, _ parameters: [Variable], batch: TripletBatch
  ) -> [LossTerm] {
    let weight = Float(settings.regularization)
    // A triplet counts its user twice, once per item: the means are over 2 B rows.
    let perTriplet = 1 / Float(max(1, batch.globalCount) * embeddingSize)
    let nodes =
      batch.users + batch.users
      + (batch.positives + batch.negatives).map { $0 + Int32(userCount) }
    let ids = tape.gatheredHalfSquares(parameters[1], nodes, scale: perTriplet)
    let first = parameters[modalities[0].preference]
    let all = tape.gatheredHalfSquares(
      first, (0..<Int32(userCount)).map { $0 }, scale: 2 / Float(first.value.count))
    return [
      .additive("squares.id", ids, weight: weight),
      // The same on every shard: each counts its share of it.
      .estimated("squares.preference", all, weight: weight, share: batch.share),
    ]
      + modalities.map { modality in
        .additive(
          "squares.\(modality.name)",
          tape.gatheredHalfSquares(
            parameters[modality.preference], batch.users, scale: 2 * perTriplet),
          weight: weight)
      }
  }

  public var final: FinalVectors {
    .whole(
      width: (1 + modalities.count) * embeddingSize,
      tables: Array(tables.indices), isStale: settings.staleRanking.isStale(inReference: true)
    ) { tape, parameters, _ in forward(on: tape, parameters) }
  }

  /// The vectors are `[r | r_1 | … | r_M]`, so that each block of columns is a part.
  public var scoreParts: [ScorePart] {
    ([ScorePart.interactions] + modalities.map(\.name)).enumerated().map { position, name in
      ScorePart(
        name: name, columns: position * embeddingSize..<(position + 1) * embeddingSize)
    }
  }
}

extension GRCN {
  /// A model over a data set's graphs, which are built when it first propagates.
  public init(_ input: ModelInput, _ settings: SettingValues<Settings>) {
    self.init(
      userCount: input.userCount, itemCount: input.itemCount, features: input.features,
      embeddingSize: input.embeddingSize, settings: settings,
      adjacency: { input.requiredGraphs.adjacency(.exact) },
      userItem: { input.requiredGraphs.userItem(.exact) })
  }
}
