import Datasets
import Settings
import Tables
import Tensors

/// BM3: learns without negative items, by predicting one view of an interaction from another.
///
///     [G_u; G_i] = 1 / (L + 1) · Σ_{l = 0 … L} Âˡ [P; Q],  Û = G_u,  Î = G_i + Q
///     h(x) = W x + b,  s(u, i) = ⟨h(Û_u), h(Î_i)⟩,  c_{m,i} = W_m V_{m,i} + b_m
///     d(x, y) = mean ( 1 − cos(h(x), drop(sg y)) )
///     L = d(Û_u, Î_p) + d(Î_p, Û_u) + λ (‖Û‖ + ‖Î‖) / I
///         + γ Σ_m ( d(c_{m,p}, Î_p) + d(c_{m,p}, c_{m,p}) )
///
/// Means are over the batch's pairs (u, p); norms are un-squared, over all users and all items.
/// `drop` keeps an element with probability 1 − ρ and divides it by 1 − ρ; a row has the same
/// elements dropped in every term and pair of a step. Negative items are drawn and not used.
///
/// There is no ranking term, so `backbone_likelihood` has nothing to replace.
///
/// **MRdIB** has no place in the score, which contains no content. Samples stand in for the c_m in
/// h(c_m), never in a target; the joint likelihood is of h(Û) and, with ranked means, h(Î) plus the
/// mean of the z, with ranked samples the mean of the z (``Content/jointUsers``), as in
/// ``FREEDOM``. The published objective does not say where it would go; this is ours.
///
/// - Parameters: user P `[U, d]` and item Q `[I, d]` Xavier uniform; predictor.weight W `[d, d]`
///   Xavier normal; per modality features.m V_m `[I, F_m]`, the features, and projection.m.weight
///   W_m `[d, F_m]`, Xavier normal; biases `[1, d]` uniform in ±1/√inputs.
/// - Source: Zhou et al. 2023, arXiv:2207.05969; as in MMRec e775373 (`models/bm3.py`), which also
///   trains the feature tables and ranks with freshly propagated vectors. The authors report
///   Recall@20 .0883, .0980, .0621 on Baby, Sports and Clothing. More than two modalities are ours.
public struct BM3: NamedBackbone {
  public static let name = "bm3"
  public static let needsFeatures = true
  public static let hasContent = true
  public static let hasRankingTerm = false
  public static let coldItems = ColdItemRanking.initialVectors
  public static let defaults = """
    # BM3: no negative items; each view of an interaction predicts the others.
    n_layers: 1          # published: 1 or 2
    reg_weight: 0.1      # published: 0.1 or 0.01
    cl_weight: 2.0       # MMRec
    """

  public struct Settings: SettingGroup {
    /// λ.
    public let regularization = CommonSettings.regularization
    /// L.
    public let layers = CommonSettings.layers
    /// γ.
    public let contrastiveWeight = CommonSettings.contrastiveWeight
    /// ρ.
    public let targetDropout = Setting(
      "target_dropout", default: 0.3, .within(0..<1),
      help: "Share of a target's elements that are dropped in a step (BM3; published: 0.3, 0.5).")
    /// The reference ranks with freshly propagated vectors.
    public let staleRanking = CommonSettings.staleRanking

    public init() {}
  }

  /// Which rows a target consists of.
  public enum Target: Sendable, Equatable {
    case user
    case item
    case modality(Int)
  }

  /// Which elements of some rows of a target a step keeps: 1 where kept, else 0, `[rows, d]`.
  public typealias KeptElements =
    @Sendable (
      _ target: Target, _ rows: [Int32], _ context: StepContext
    ) -> Matrix

  /// The tables of one modality.
  private struct Modality {
    let features: Int
    let projection: LinearLayer
  }

  private let list: TableList
  private let predictor: LinearLayer
  private let modalities: [Modality]
  private let userCount: Int
  private let itemCount: Int
  private let features: [FeatureMatrix]
  private let embeddingSize: Int
  private let settings: SettingValues<Settings>
  private let adjacency: @Sendable () -> SparseMatrix
  private let keptElements: KeptElements?

  /// - Parameters:
  ///   - adjacency: Â, `[U + I, U + I]`; called when vectors are first propagated.
  ///   - keptElements: in place of what the run's seed says.
  /// - Precondition: at least one modality.
  public init(
    userCount: Int, itemCount: Int, features: [FeatureMatrix], embeddingSize: Int,
    settings: SettingValues<Settings>, adjacency: @escaping @Sendable () -> SparseMatrix,
    keptElements: KeptElements? = nil
  ) {
    precondition(!features.isEmpty, "BM3 without features")
    self.userCount = userCount
    self.itemCount = itemCount
    self.features = features
    self.embeddingSize = embeddingSize
    self.settings = settings
    self.adjacency = adjacency
    self.keptElements = keptElements
    var list = TableList()
    _ = list.addEmbedding("user", rows: userCount, width: embeddingSize)
    _ = list.addEmbedding("item", rows: itemCount, width: embeddingSize)
    predictor = LinearLayer(
      "predictor", inputs: embeddingSize, outputs: embeddingSize,
      weight: .xavierNormal(rows: embeddingSize, columns: embeddingSize), in: &list)
    modalities = features.map { feature in
      Modality(
        features: list.add(
          "features.\(feature.name)", rows: itemCount, width: feature.columns,
          initializer: .pushed),
        projection: LinearLayer(
          "projection.\(feature.name)", inputs: feature.columns, outputs: embeddingSize,
          weight: .xavierNormal(rows: embeddingSize, columns: feature.columns), in: &list))
    }
    self.list = list
  }

  public var tables: [TableSpec] { list.specs }

  /// The features of some items: what the tables V_m begin with.
  ///
  /// - Precondition: `table` is one of them.
  public func initialValues(table: Int, rows: Range<Int>) -> Matrix {
    guard let modality = modalities.firstIndex(where: { $0.features == table })
    else { preconditionFailure("table \(tables[table].name) does not begin with data") }
    return features[modality].matrix(rows)
  }

  public func rows(for batch: TripletBatch) -> [RowSelection] {
    [.all, .all, .all, .all]
      + modalities.flatMap { _ in [.listed(batch.distinctItems), .all, .all] as [RowSelection] }
  }

  public func propagate(
    on tape: Tape, parameters: [Variable], context: StepContext
  ) -> [Variable] {
    let (user, item) = forward(on: tape, parameters)
    return [user, item]
  }

  /// Û `[U, d]` and Î `[I, d]`.
  private func forward(
    on tape: Tape, _ parameters: [Variable]
  ) -> (user: Variable, item: Variable) {
    let stacked = tape.concatenateRows([parameters[0], parameters[1]])
    let mean = tape.layerMean(adjacency(), stacked, layers: settings.layers)
    return (
      tape.rows(mean, 0..<userCount),
      tape.add(tape.rows(mean, userCount..<userCount + itemCount), parameters[1])
    )
  }

  private func predict(on tape: Tape, _ x: Variable, _ parameters: [Variable]) -> Variable {
    predictor.apply(on: tape, x, parameters)
  }

  public func content(on tape: Tape, _ input: BatchInput) -> Content {
    let means = modalities.map { modality in
      modality.projection.apply(
        on: tape, input.parameters[modality.features], input.parameters)
    }
    let users = predict(
      on: tape, tape.gather(input.propagated[0], input.batch.distinctUsers), input.parameters)
    return Content(means: means, users: modalities.map { _ in users }, jointUsers: users)
  }

  public func fused(
    on tape: Tape, _ input: BatchInput, content: Content, rows: BatchRows
  ) -> (users: Variable, items: Variable) {
    let ranked = predict(
      on: tape, tape.gather(input.propagated[1], rows.items), input.parameters)
    let share = 1 / Float(content.means.count)
    return (content.users[0], tape.sum([(ranked, 1)] + content.means.map { ($0, share) }))
  }

  public func loss(
    on tape: Tape, _ input: BatchInput, content: Content, items: [Variable],
    likelihood: Likelihood
  ) -> [LossTerm] {
    let batch = input.batch
    let item = tape.gather(input.propagated[1], batch.distinctItems)
    let user = tape.gather(input.propagated[0], batch.distinctUsers)
    let userTarget = target(on: tape, .user, batch.distinctUsers, user, input.context)
    let itemTarget = target(on: tape, .item, batch.distinctItems, item, input.context)
    func distance(
      _ name: String, _ x: Variable, _ xIndex: [Int32], _ targets: Variable,
      _ targetIndex: [Int32], weight: Float
    ) -> LossTerm {
      .additive(
        name,
        tape.cosineLoss(
          x, xIndex, targets: targets, targetIndex, count: batch.globalCount),
        weight: weight)
    }
    var terms = [
      distance(
        "prediction.item", content.users[0], batch.userIndex, itemTarget, batch.positiveIndex,
        weight: 1),
      distance(
        "prediction.user", predict(on: tape, item, input.parameters), batch.positiveIndex,
        userTarget, batch.userIndex, weight: 1),
    ]
    let weight = Float(settings.contrastiveWeight)
    for (index, vectors) in items.enumerated() {
      let name = features[index].name
      let predicted = predict(on: tape, vectors, input.parameters)
      let own = target(
        on: tape, .modality(index), batch.distinctItems, content.means[index], input.context)
      for (term, targets) in [("alignment", itemTarget), ("masked", own)] {
        terms.append(
          distance(
            "\(term).\(name)", predicted, batch.positiveIndex, targets, batch.positiveIndex,
            weight: weight))
      }
    }
    // The same number in every shard, so the shards' shares of it add up to it.
    let norms = tape.add(tape.norm(input.propagated[0]), tape.norm(input.propagated[1]))
    terms.append(
      .estimated(
        "norms", norms, weight: Float(settings.regularization) / Float(max(1, itemCount)),
        share: batch.share))
    return terms
  }

  /// drop(sg x): a constant.
  private func target(
    on tape: Tape, _ target: Target, _ rows: [Int32], _ x: Variable, _ context: StepContext
  ) -> Variable {
    let dropout = Float(settings.targetDropout)
    guard dropout > 0 else { return tape.detached(x) }
    let result = keptElements?(target, rows, context) ?? kept(target, rows, context)
    let scale = 1 / (1 - dropout)
    for index in 0..<result.count { result.pointer[index] *= scale * x.value.pointer[index] }
    return tape.constant(result)
  }

  /// The elements that the run's seed keeps in a step: a function of the row's id, whatever shard
  /// has it.
  private func kept(_ target: Target, _ rows: [Int32], _ context: StepContext) -> Matrix {
    let random = CounterRandom(
      seed: context.seed, stream: .targetDropout, epoch: context.epoch, step: context.step)
    let place =
      switch target {
      case .user: 0
      case .item: 1
      case .modality(let index): 2 + index
      }
    let dropout = Float(settings.targetDropout)
    let result = Matrix(rows: rows.count, columns: embeddingSize)
    random.fill(result, ids: rows, firstIndex: place * ((embeddingSize + 3) / 4)) {
      $0 < dropout ? 0 : 1
    }
    return result
  }

  public var final: FinalVectors {
    .whole(
      width: embeddingSize, tables: [0, 1, predictor.weight, predictor.bias],
      isStale: settings.staleRanking.isStale(inReference: false)
    ) { tape, parameters, _ in
      let (user, item) = forward(on: tape, parameters)
      return (predict(on: tape, user, parameters), predict(on: tape, item, parameters))
    }
  }
}

extension BM3 {
  /// A model over a data set's graphs, which are built when it first propagates.
  public init(_ input: ModelInput, _ settings: SettingValues<Settings>) {
    self.init(
      userCount: input.userCount, itemCount: input.itemCount, features: input.features,
      embeddingSize: input.embeddingSize, settings: settings,
      adjacency: { input.requiredGraphs.adjacency(.guarded) })
  }
}
