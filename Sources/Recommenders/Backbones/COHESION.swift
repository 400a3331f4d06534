import Datasets
import Settings
import Tables
import Tensors

/// COHESION: early fusion with id vectors, composite graph convolution over three graphs, and a
/// loss that attends to the modality that separates worst.
///
///     y_m = LReLU(F_m W₁ᵀ + b₁) W₂ᵀ + b₂,  f_m = √((κ² + y_m²)/2 + 1e-8)     m: id and modalities
///     x₀ = rowL2([Φ_m ; f_m]),  x_l = cos(Â x_{l−1}, x₀) · Â x_{l−1}           row by row
///     X_m = Σ_{l=0…L} x_l,  Û_m = X_m + Ω X_m (users),  Î_m = X_m + M X_m (items)
///
///     δ_m = ⟨Û_m[u], Î_m[p] − Î_m[n]⟩,  ω = 1 − softmax_m(δ)  (constant),  Δ = Σ_m ω_m δ_m
///     L = −mean log₂ σ(Δ) + λ (Σ_m mean(Φ_m[u]²) + mean(w²))
///     s(u, i) = Σ_m ⟨Û_m[u], Î_m[i]⟩
///
/// The features of the id branch are the id vectors κ themselves. Ω is the user graph of
/// ``DualGNN``, M the item graph of ``FREEDOM``, Â has the degrees + 1e-7.
///
/// Faithful to the reference where it departs from what one would expect:
/// - `detach_id`: no gradient flows from the id branch, so that its map and its Φ stay as they
///   began, and κ learns only what the other branches need of it;
/// - w, the weights of modalities, are in the regulariser alone;
/// - the scores that rank have no ω;
/// - `stale_ranking`: an evaluation ranks with the vectors of the last training step, of the graphs
///   of its epoch.
///
/// **MRdIB** attaches where the rest of the score is row-wise: μ_m is Î_m of a modality, and its
/// user Û_m. With ranked samples ω is that of the samples. As a choice among candidates the
/// ranking term has no ω, which is of pairs.
///
/// - Parameters: item κ `[I, d]` Xavier normal; user.weight w `[U, M]`, softmaxes; per branch
///   preference Φ `[U, d]` Xavier normal, hidden `[4d, F]` and output `[d, 4d]` with biases.
/// - Over several shards all terms add up.
/// - More than two modalities are ours.
/// - Source: Xu et al. 2025, "COHESION: Composite Graph Convolutional Network with Dual-Stage
///   Fusion for Multimodal Recommendation", arXiv:2504.04452, as in Jinfeng-Xu/COHESION 3fccdaf.
public struct COHESION: NamedBackbone {
  public static let name = "cohesion"
  public static let needsFeatures = true
  public static let hasContent = true
  public static let hasScoreParts = true
  public static let defaults = """
    # COHESION: composite graph convolution. No best settings are published.
    reg_weight: 1e-3  # of the grid 1e-1 … 1e-4
    dropout: 0        # the only published value
    mm_image_weight: 0.1
    """

  public struct Settings: SettingGroup {
    /// λ.
    public let regularization = CommonSettings.regularization
    /// L.
    public let layers = CommonSettings.layers
    public let itemNeighbours = CommonSettings.itemNeighbours
    public let firstModalityWeight = CommonSettings.firstModalityWeight
    public let edgeDropout = CommonSettings.edgeDropout
    public let userNeighbours = CommonSettings.userNeighbours
    public let padsNeighbours = CommonSettings.padsNeighbours
    public let detachesID = Setting(
      "detach_id", default: true,
      help: "Let no gradient flow from COHESION's id branch, as its code does.")
    /// The reference ranks with the vectors of the last training forward.
    public let staleRanking = CommonSettings.staleRanking

    public init() {}
  }

  /// The graphs; each is asked for when it is first needed.
  package struct Graphs: Sendable {
    /// Â, `[U + I, U + I]`, of an epoch, or of an evaluation that belongs to no epoch (nil).
    let adjacency: @Sendable (_ context: StepContext?) -> SparseMatrix
    /// M, `[I, I]`.
    let items: @Sendable () -> SparseMatrix
    /// Ω, `[U, U]`, of an epoch, or of an evaluation that belongs to no epoch (nil).
    let users: @Sendable (_ epoch: Int?) -> SparseMatrix

    package init(
      adjacency: @escaping @Sendable (_ context: StepContext?) -> SparseMatrix,
      items: @escaping @Sendable () -> SparseMatrix,
      users: @escaping @Sendable (_ epoch: Int?) -> SparseMatrix
    ) {
      self.adjacency = adjacency
      self.items = items
      self.users = users
    }
  }

  private let layout: Layout
  private let userCount: Int
  private let embeddingSize: Int
  private let modalityNames: [String]
  private let settings: SettingValues<Settings>
  private let seed: UInt64
  private let features: Lazy<[Matrix]>
  private let absence: AbsentModalities
  private let adjacency: @Sendable (StepContext?) -> SparseMatrix
  private let itemGraph: Lazy<SparseMatrix>
  private let userGraph: SingleEntryCache<Int?, SparseMatrix>

  /// - Parameter seed: the run's; the initial values of w depend on it.
  /// - Precondition: at least one modality.
  package init(
    userCount: Int, itemCount: Int, features: [FeatureMatrix], embeddingSize: Int,
    settings: SettingValues<Settings>, seed: UInt64, graphs: Graphs
  ) {
    precondition(!features.isEmpty, "COHESION without features")
    self.userCount = userCount
    self.embeddingSize = embeddingSize
    absence = AbsentModalities(features)
    self.settings = settings
    self.seed = seed
    modalityNames = features.map(\.name)
    self.features = Lazy { features.map { $0.matrix(0..<$0.rows) } }
    adjacency = graphs.adjacency
    itemGraph = Lazy(graphs.items)
    userGraph = SingleEntryCache(graphs.users)
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

  public func initialValues(table: Int, rows: Range<Int>) -> Matrix {
    ModalityWeights.initialValues(tables[table], rows: rows, seed: seed)
  }

  /// All rows: the network runs over the whole graph.
  public func rows(for batch: TripletBatch) -> [RowSelection] { tables.map { _ in .all } }

  public func propagate(
    on tape: Tape, parameters: [Variable], context: StepContext
  ) -> [Variable] {
    blocks(on: tape, parameters, context: context).variables
  }

  private func blocks(
    on tape: Tape, _ parameters: [Variable], context: StepContext?
  ) -> Blocks {
    let ids = parameters[layout.item]
    let features = [ids] + features.value.map { tape.constant($0) }
    let adjacency = adjacency(context)
    let userGraph = userGraph[context?.epoch]
    let vectors = layout.branches.enumerated().map { index, branch in
      let items = tape.rootMeanSquare(ids, branch.items(on: tape, features[index], parameters))
      let all = composite(
        on: tape, branch.nodes(on: tape, items: items, parameters), adjacency)
      return index == 0 && settings.detachesID ? tape.detached(all) : all
    }
    return Blocks(
      users: vectors.map { all in
        let users = tape.rows(all, 0..<userCount)
        return tape.add(users, tape.multiply(userGraph, users))
      },
      items: vectors.enumerated().map { index, all in
        let items = tape.rows(all, userCount..<all.rows)
        let similar = tape.add(items, tape.multiply(itemGraph.value, items))
        return index == 0 ? similar : absence.clearing(similar, index - 1, on: tape)
      })
  }

  /// X, `[N, d]`, of x₀.
  private func composite(
    on tape: Tape, _ start: Variable, _ adjacency: SparseMatrix
  ) -> Variable {
    var layers = [start]
    for _ in 0..<settings.layers {
      let next = tape.multiply(adjacency, layers[layers.count - 1])
      layers.append(tape.scaledByCosine(next, with: start))
    }
    return tape.sum(layers.map { ($0, 1) })
  }

  public func content(on tape: Tape, _ input: BatchInput) -> Content {
    let blocks = Blocks(input.propagated)
    return Content(
      means: blocks.items.dropFirst().map { tape.gather($0, input.batch.distinctItems) },
      users: blocks.users.dropFirst().map { tape.gather($0, input.batch.distinctUsers) })
  }

  public func fused(
    on tape: Tape, _ input: BatchInput, content: Content, rows: BatchRows
  ) -> (users: Variable, items: Variable) {
    let ids = idBlock(on: tape, input, rows)
    return (
      tape.concatenateColumns([ids.users] + content.users),
      tape.concatenateColumns([ids.items] + content.means)
    )
  }

  /// Û_id and Î_id of some users and items, one row each.
  private func idBlock(
    on tape: Tape, _ input: BatchInput, _ rows: BatchRows
  ) -> (users: Variable, items: Variable) {
    let blocks = Blocks(input.propagated)
    let users = tape.gather(blocks.users[0], rows.users)
    let items = tape.gather(blocks.items[0], rows.items)
    return settings.detachesID ? (tape.detached(users), tape.detached(items)) : (users, items)
  }

  public func loss(
    on tape: Tape, _ input: BatchInput, content: Content, items: [Variable],
    likelihood: Likelihood
  ) -> [LossTerm] {
    let ids = idBlock(on: tape, input, BatchRows(of: input.batch))
    let ranking = ranking(
      on: tape, users: [ids.users] + content.users, items: [ids.items] + items,
      batch: input.batch, likelihood: likelihood)
    return [.additive(LossTerm.rankingName, ranking, weight: LossTerm.perBinaryLogarithm)]
      + tape.preferenceRegularizers(
        layout.branches.dropFirst().map { input.parameters[$0.preference] },
        weights: input.parameters[layout.userWeight], batch: input.batch,
        weight: Float(settings.regularization))
  }

  /// The likelihood of the batch's preferences with ω_m in the scores, nats.
  private func ranking(
    on tape: Tape, users: [Variable], items: [Variable], batch: TripletBatch,
    likelihood: Likelihood
  ) -> Variable {
    if case .candidates = likelihood {
      return tape.preferenceLoss(
        users: tape.concatenateColumns(users), items: tape.concatenateColumns(items),
        batch: batch, likelihood: likelihood, form: .softplus)
    }
    func scores(_ index: [Int32]) -> [Variable] {
      zip(users, items).map { tape.rowDot($0, batch.userIndex, $1, index) }
    }
    let (positive, negative) = (scores(batch.positiveIndex), scores(batch.negativeIndex))
    let margins = zip(positive, negative).map { tape.subtract($0, $1) }
    let weights = tape.complementaryWeights(margins)
    func weighted(_ parts: [Variable]) -> Variable {
      tape.sum(zip(parts, weights).map { (tape.hadamard($0, tape.constant($1)), 1) })
    }
    if case .bce = likelihood {
      return tape.labelLoss(
        positive: weighted(positive), negative: weighted(negative), count: batch.globalCount)
    }
    return tape.rankingLoss(weighted(margins), form: .softplus, count: batch.globalCount)
  }

  public var final: FinalVectors {
    .whole(
      width: embeddingSize * layout.branches.count,
      tables: tables.indices.filter { $0 != layout.userWeight },
      isStale: settings.staleRanking.isStale(inReference: true)
    ) { tape, parameters, context in
      let blocks = blocks(on: tape, parameters, context: context)
      return (tape.concatenateColumns(blocks.users), tape.concatenateColumns(blocks.items))
    }
  }

  /// The vectors are `[id | X_1 | … | X_M]`, so that each block of columns is a part. The id block
  /// is of items that interactions and similarity connect.
  public var scoreParts: [ScorePart] {
    ([ScorePart.interactions] + modalityNames).enumerated().map { position, name in
      ScorePart(
        name: name, columns: position * embeddingSize..<(position + 1) * embeddingSize)
    }
  }
}

extension COHESION {
  /// A model over a data set's graphs, which are built when it first propagates.
  public init(_ input: ModelInput, _ settings: SettingValues<Settings>) {
    let (count, pads, seed) = (settings.userNeighbours, settings.padsNeighbours, input.seed)
    let (dropout, first) = (settings.edgeDropout, Float(settings.firstModalityWeight))
    let neighbours = settings.itemNeighbours
    self.init(
      userCount: input.userCount, itemCount: input.itemCount, features: input.features,
      embeddingSize: input.embeddingSize, settings: settings, seed: seed,
      graphs: Graphs(
        adjacency: { context in
          guard dropout > 0, let context else { return input.requiredGraphs.adjacency(.guarded) }
          return input.requiredGraphs.sampledAdjacency(
            dropout: dropout, seed: context.seed, epoch: context.epoch)
        },
        items: { input.mixedItemNeighbours(first: first, count: neighbours) },
        users: { input.requiredGraphs.userNeighbours(count: count, pads: pads, seed, epoch: $0) }
      ))
  }
}
