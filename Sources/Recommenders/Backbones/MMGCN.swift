import Datasets
import Settings
import Tables
import Tensors

/// Multi-modal graph convolution: one graph network per modality over users and items.
///
/// Of every modality m, with x⁰ = rowL2([Φ_m ; F_m]), three layers l:
///
///     h  = LReLU(M x W_l)            messages: the mean over neighbours, M = D⁻¹A
///     x̂  = LReLU(x L_lᵀ + b_l) + e   the node itself, with an id vector that modalities share
///     x' = LReLU([h | x̂] G_lᵀ + c_l)
///
///     r_m = x³,  Û = Î = mean_m r_m  (rows of users, rows of items),  s(u, i) = ⟨Û_u, Î_i⟩
///     L = −mean ln σ(s(u,p) − s(u,n)) + λ (mean(e_u² + e_i²) + mean(Φ_0²))
///
/// F_m are the features, of the first modality after a linear layer to 256 dimensions, of others
/// as they are; with more than two modalities those wider than 384 have such a layer too.
///
/// Faithful to the reference where it differs from its paper: messages and node are
/// concatenated, not added; e and Φ are **not trained** (they stay at their initial values, so the
/// regulariser is a constant of the loss); only the first Φ is regularised; and an evaluation
/// ranks with the vectors of the last training step. ``trainableIds`` and `staleRanking` switch.
///
/// The first layer is computed in the cheaper order: users receive M (x W) from few items, items
/// receive (M x) W, where M x is a mean of user vectors and, untrained, a constant.
///
/// - Parameters: in order, per modality: projection.weight `[256, F]` and projection.bias; per
///   layer convolution.weight `[c, c]` (inputs × outputs), self.weight `[d, c]`, self.bias,
///   fusion.weight `[d, c + d]`, fusion.bias. With `trainableIds` then id `[U + I, d]` and
///   preference `[U, c]` per modality, which are drawn alike in both forms.
/// - Source: Wei et al. 2019, doi:10.1145/3343031.3351034, as in MMRec e775373
///   (`models/mmgcn.py`).
public struct MMGCN: NamedBackbone {
  public static let name = "mmgcn"
  public static let needsFeatures = true
  public static let hasContent = true
  public static let defaults = """
    # MMGCN: one graph network per modality.
    reg_weight: 0  # has no effect on the gradient unless trainable_ids is true
    sigma_init: relative  # noise of 1 costs it a tenth; docs/Results.md
    """

  public struct Settings: SettingGroup {
    /// λ.
    public let regularization = CommonSettings.regularization
    public let trainsIDs = Setting(
      "trainable_ids", default: false,
      help: "Train MMGCN's id and preference vectors; its code leaves them at their random start.")
    /// The reference ranks with the vectors of the last training forward.
    public let staleRanking = CommonSettings.staleRanking

    public init() {}
  }

  public let tables: [TableSpec]
  private let userCount: Int
  private let embeddingSize: Int
  private let regularization: Float
  private let trainableIds: Bool
  private let staleRanking: Bool
  private let layout: Layout
  private let absence: AbsentModalities
  private let graph: Lazy<Graph>
  /// The untrained input, per modality and for the id vectors.
  private let inputs: [Lazy<ConstantInput>]
  private let ids: Lazy<Matrix>

  /// The model for a data set; its graph is built when vectors are first propagated.
  public init(_ input: ModelInput, _ settings: SettingValues<Settings>) {
    self.init(
      userCount: input.userCount, itemCount: input.itemCount, features: input.features,
      embeddingSize: input.embeddingSize, regularization: Float(settings.regularization),
      trainableIds: settings.trainsIDs,
      staleRanking: settings.staleRanking.isStale(inReference: true), seed: input.seed
    ) { input.requiredGraphs.meanAdjacency() }
  }

  /// A model over a given graph.
  ///
  /// - Parameters:
  ///   - meanAdjacency: M, `[U + I, U + I]`, users first; called only in processes that compute.
  ///   - seed: the run's; e and Φ depend on it where they are not trained.
  ///   - projectionWidth: the width of projected features; 256 in the reference.
  /// - Precondition: at least one modality.
  public init(
    userCount: Int, itemCount: Int, features: [FeatureMatrix], embeddingSize: Int,
    regularization: Float, trainableIds: Bool = false, staleRanking: Bool = true,
    projectionWidth: Int = 256, seed: UInt64,
    meanAdjacency: @escaping @Sendable () -> SparseMatrix
  ) {
    self.init(
      userCount: userCount, itemCount: itemCount, features: features,
      embeddingSize: embeddingSize, regularization: regularization, trainableIds: trainableIds,
      staleRanking: staleRanking, projectionWidth: projectionWidth, meanAdjacency: meanAdjacency
    ) { spec in
      let matrix = Matrix(rows: spec.rows, columns: spec.width)
      for row in 0..<spec.rows {
        spec.initializer.fill(matrix.row(row), table: spec.name, row: row, seed: seed)
      }
      return matrix
    }
  }

  /// With given values of the untrained parameters, for reference values.
  package init(
    userCount: Int, itemCount: Int, features: [FeatureMatrix], embeddingSize: Int,
    regularization: Float, trainableIds: Bool, staleRanking: Bool, projectionWidth: Int,
    meanAdjacency: @escaping @Sendable () -> SparseMatrix,
    untrained: @escaping @Sendable (TableSpec) -> Matrix
  ) {
    precondition(!features.isEmpty, "MMGCN without features")
    self.userCount = userCount
    self.embeddingSize = embeddingSize
    absence = AbsentModalities(features)
    self.regularization = regularization
    self.trainableIds = trainableIds
    self.staleRanking = staleRanking
    let layout = Layout(
      userCount: userCount, itemCount: itemCount,
      features: features.map { ($0.name, $0.columns) }, embeddingSize: embeddingSize,
      projectionWidth: projectionWidth)
    self.layout = layout
    tables = layout.tables(trainableIds: trainableIds)
    let graph = Lazy { Graph(meanAdjacency(), userCount: userCount) }
    self.graph = graph
    ids = Lazy { untrained(layout.id) }
    inputs = zip(features, layout.branches).map { feature, branch in
      Lazy {
        ConstantInput(
          features: feature.matrix(0..<feature.rows), isProjected: branch.isProjected,
          preference: trainableIds ? nil : untrained(branch.preference), graph: graph.value)
      }
    }
  }

  /// The parameters of a model with these sizes.
  public static func tables(
    userCount: Int, itemCount: Int, features: [(name: String, columns: Int)],
    embeddingSize: Int, trainableIds: Bool = false, projectionWidth: Int = 256
  ) -> [TableSpec] {
    Layout(
      userCount: userCount, itemCount: itemCount, features: features,
      embeddingSize: embeddingSize, projectionWidth: projectionWidth
    ).tables(trainableIds: trainableIds)
  }

  /// All rows: the network runs over the whole graph.
  public func rows(for batch: TripletBatch) -> [RowSelection] { tables.map { _ in .all } }

  /// r_m of every modality, `[U + I, d]`.
  public func propagate(
    on tape: Tape, parameters: [Variable], context: StepContext
  ) -> [Variable] {
    representations(on: tape, parameters)
  }

  private func representations(on tape: Tape, _ parameters: [Variable]) -> [Variable] {
    let ids = idVectors(on: tape, parameters)
    return layout.branches.indices.map { modality in
      absence.clearing(
        representation(on: tape, modality, ids: ids, parameters), modality, itemsFrom: userCount,
        on: tape)
    }
  }

  /// r_m, `[U + I, d]`.
  private func representation(
    on tape: Tape, _ modality: Int, ids: Ids, _ parameters: [Variable]
  ) -> Variable {
    let graph = graph.value
    let input = input(on: tape, modality, parameters)
    let layers = layout.branches[modality].layers.map { Layer(parameters[$0...]) }

    let fromItems = tape.multiply(
      graph.usersFromItems, tape.multiply(input.items, layers[0].convolution))
    let fromUsers = tape.multiply(input.userMeans, layers[0].convolution)
    var x = tape.concatenateRows([
      layers[0].combine(
        on: tape, messages: tape.leakyReLU(fromItems), node: input.users, id: ids.users),
      layers[0].combine(
        on: tape, messages: tape.leakyReLU(fromUsers), node: input.items, id: ids.items),
    ])
    for layer in layers.dropFirst() {
      let messages = tape.multiply(graph.mean, tape.multiply(x, layer.convolution))
      x = layer.combine(on: tape, messages: tape.leakyReLU(messages), node: x, id: ids.all)
    }
    return x
  }

  /// x⁰ of users and items, and the means of users that items receive.
  private func input(
    on tape: Tape, _ modality: Int, _ parameters: [Variable]
  ) -> (users: Variable, items: Variable, userMeans: Variable) {
    let branch = layout.branches[modality]
    let constant = inputs[modality].value
    var items = tape.constant(constant.items)
    if branch.isProjected {
      let weight = parameters[branch.firstTable]
      items = tape.rowL2(tape.linear(items, weight, bias: parameters[branch.firstTable + 1]))
    }
    if let users = constant.users, let userMeans = constant.userMeans {
      return (tape.constant(users), items, tape.constant(userMeans))
    }
    let users = tape.rowL2(parameters[layout.preferenceTable(modality)])
    return (users, items, tape.multiply(graph.value.itemsFromUsers, users))
  }

  private func idVectors(on tape: Tape, _ parameters: [Variable]) -> Ids {
    let all = trainableIds ? parameters[layout.idTable] : tape.constant(ids.value)
    return Ids(
      all: all, users: tape.rows(all, 0..<userCount), items: tape.rows(all, userCount..<all.rows))
  }

  public func content(on tape: Tape, _ input: BatchInput) -> Content {
    let items = input.batch.distinctItems.map(node(ofItem:))
    return Content(
      means: input.propagated.map { tape.gather($0, items) },
      users: input.propagated.map { tape.gather($0, input.batch.distinctUsers) })
  }

  public func fused(
    on tape: Tape, _ input: BatchInput, content: Content, rows: BatchRows
  ) -> (users: Variable, items: Variable) {
    (tape.average(content.users), tape.average(content.means))
  }

  public func loss(
    on tape: Tape, _ input: BatchInput, content: Content, items: [Variable],
    likelihood: Likelihood
  ) -> [LossTerm] {
    let batch = input.batch
    let ranking = tape.rankingTerm(
      users: tape.average(content.users), items: tape.average(items), batch: batch,
      likelihood: likelihood, form: .softplus)
    let ids = trainableIds ? input.parameters[layout.idTable] : tape.constant(self.ids.value)
    let nodes =
      batch.users + batch.users + batch.positives.map(node(ofItem:))
      + batch.negatives.map(node(ofItem:))
    let preference =
      inputs[0].value.preferenceMeanSquare.map { tape.constant(tape.filled($0)) }
      ?? tape.meanSquare(input.parameters[layout.preferenceTable(0)], count: userCount)
    return [
      ranking,
      .additive(
        "regularization", tape.meanSquare(ids, nodes, count: 2 * batch.globalCount),
        weight: regularization),
      .estimated("regularization", preference, weight: regularization, share: batch.share),
    ]
  }

  /// Nodes are the users, followed by the items.
  private func node(ofItem item: Int32) -> Int32 { Int32(userCount) + item }

  public var final: FinalVectors {
    .whole(width: embeddingSize, tables: Array(tables.indices), isStale: staleRanking) {
      tape, parameters, _ in
      let all = tape.average(representations(on: tape, parameters))
      return (tape.rows(all, 0..<userCount), tape.rows(all, userCount..<all.rows))
    }
  }
}

extension MMGCN {
  /// The weights of one layer, in the order of their tables.
  private struct Layer {
    let convolution: Variable
    let ownWeight: Variable
    let ownBias: Variable
    let fusionWeight: Variable
    let fusionBias: Variable

    init(_ parameters: ArraySlice<Variable>) {
      let first = parameters.startIndex
      convolution = parameters[first]
      ownWeight = parameters[first + 1]
      ownBias = parameters[first + 2]
      fusionWeight = parameters[first + 3]
      fusionBias = parameters[first + 4]
    }

    /// `x' = LReLU([h | LReLU(x Lᵀ + b) + e] Gᵀ + c)`, row by row.
    func combine(on tape: Tape, messages: Variable, node: Variable, id: Variable) -> Variable {
      let own = tape.add(tape.leakyReLU(tape.linear(node, ownWeight, bias: ownBias)), id)
      return tape.leakyReLU(tape.linear([messages, own], fusionWeight, bias: fusionBias))
    }
  }

  /// e, and its rows of users and items.
  private struct Ids {
    let all: Variable
    let users: Variable
    let items: Variable
  }

  /// M and its two non-zero blocks.
  private struct Graph: Sendable {
    let mean: SparseMatrix
    /// `[U, I]`.
    let usersFromItems: SparseMatrix
    /// `[I, U]`.
    let itemsFromUsers: SparseMatrix

    init(_ mean: SparseMatrix, userCount: Int) {
      self.mean = mean
      let (users, items) = (0..<userCount, userCount..<mean.rows)
      usersFromItems = mean.block(rows: users, columns: items)
      itemsFromUsers = mean.block(rows: items, columns: users)
    }
  }

  /// The part of a modality's input that stays constant during training.
  private struct ConstantInput: Sendable {
    /// The features as they are where a projection follows, else with rows of unit length.
    let items: Matrix
    /// rowL2(Φ) and the means of it that items receive, where Φ is not trained.
    private(set) var users: Matrix?
    private(set) var userMeans: Matrix?
    private(set) var preferenceMeanSquare: Float?

    init(features: Matrix, isProjected: Bool, preference: Matrix?, graph: Graph) {
      items = isProjected ? features : unitRows(features)
      guard let preference else { return }
      let users = unitRows(preference)
      let userMeans = Matrix(rows: items.rows, columns: users.columns)
      graph.itemsFromUsers.multiply(users, into: userMeans)
      let tape = Tape()
      preferenceMeanSquare =
        tape.meanSquare(tape.constant(preference), count: preference.rows).scalar
      self.users = users
      self.userMeans = userMeans
    }
  }
}

/// The matrix with rows of unit length.
private func unitRows(_ matrix: Matrix) -> Matrix {
  let tape = Tape()
  return tape.rowL2(tape.constant(matrix)).value
}

extension Tape {
  /// The mean of matrices of one shape.
  fileprivate func average(_ parts: [Variable]) -> Variable {
    sum(parts.map { ($0, 1 / Float(parts.count)) })
  }
}
