import Datasets
import Settings
import Tables
import Tensors

/// Dual graph neural network: propagation over users and items per modality, then over users who
/// share items.
///
///     x_m = rowL2([Φ_m ; LReLU(F_m W₁ᵀ + b₁) W₂ᵀ + b₂])
///     X_m = x_m + Â x_m + Â² x_m
///
///     Î = Σ_m X_m (rows of items)
///     a_u = Σ_m w_um X_m[u],  Û = a + Ω a,  s(u, i) = ⟨Û_u, Î_i⟩
///     L = −mean log₂ σ(s(u,p) − s(u,n)) + λ (Σ_m mean(Φ_m[u]²) + mean(w²) + mean(v²))
///
/// Ω averages over the `userNeighbours` (40) users with most items in common, weighted by the
/// softmax of those counts. w (of users) and v (of items, in the regulariser alone) begin as
/// softmaxes over modalities and are free afterwards.
///
/// Faithful to the reference where it differs from its paper:
/// - `aliasBug`: the sum over modalities overwrites X_0 before the users' sums read it, so
///   `a_u = w_u0 Σ_m X_m[u] + Σ_{m>0} w_um X_m[u]`;
/// - `randomPadding`: a user with fewer neighbours has the list filled up with random
///   members of it, drawn again every epoch; else the softmax is over the true neighbours;
/// - `staleRanking`: an evaluation ranks with the vectors of the last training step;
/// - the logarithm is to base 2, which only matters relative to λ.
///
/// The reference declares 20,544 more numbers (two maps 64 × 64 and one 192 → 64 with bias) that
/// it never reads; they are not tables here.
///
/// - Parameters: in order, per modality preference Φ `[U, d]` Xavier normal, hidden.weight W₁
///   `[4d, F]`, hidden.bias, output.weight W₂ `[d, 4d]`, output.bias; then user.weight w `[U, M]`
///   and item.weight v `[I, M]`.
/// - Source: Wang et al. 2023 (IEEE TMM), doi:10.1109/TMM.2021.3138298, as in MMRec e775373
///   (`models/dualgnn.py`).
public struct DualGNN: NamedBackbone {
  public static let name = "dualgnn"
  public static let needsFeatures = true
  public static let hasContent = true
  public static let defaults = """
    # DualGNN: modality graphs and a user co-interaction graph.
    reg_weight: 1e-3  # of the published grid 1e-1 … 1e-5
    """

  public struct Settings: SettingGroup {
    /// λ.
    public let regularization = CommonSettings.regularization
    public let hasAliasBug = Setting(
      "alias_bug", default: true,
      help: "Users see the sum of modalities where DualGNN's paper means one, as its code does.")
    public let userNeighbours = CommonSettings.userNeighbours
    public let padsNeighbours = CommonSettings.padsNeighbours
    /// The reference ranks with the vectors of the last training forward.
    public let staleRanking = CommonSettings.staleRanking

    public init() {}
  }

  public let tables: [TableSpec]
  private let userCount: Int
  private let embeddingSize: Int
  private let regularization: Float
  private let aliasBug: Bool
  private let staleRanking: Bool
  private let seed: UInt64
  private let features: [Lazy<Matrix>]
  private let absence: AbsentModalities
  private let adjacency: Lazy<SparseMatrix>
  /// Ω by epoch; nil stands for an evaluation, which belongs to no epoch.
  private let neighbours: SingleEntryCache<Int?, SparseMatrix>

  /// - Parameters:
  ///   - seed: the run's; the initial values of w and v depend on it.
  ///   - adjacency: Â, `[U + I, U + I]`, users first; called only in processes that compute.
  ///   - neighbours: Ω of an epoch, `[U, U]`, or of an evaluation that belongs to no epoch (nil).
  /// - Precondition: at least one modality.
  public init(
    userCount: Int, itemCount: Int, features: [FeatureMatrix], embeddingSize: Int,
    regularization: Float, aliasBug: Bool = true, staleRanking: Bool = true, seed: UInt64,
    adjacency: @escaping @Sendable () -> SparseMatrix,
    neighbours: @escaping @Sendable (_ epoch: Int?) -> SparseMatrix
  ) {
    precondition(!features.isEmpty, "DualGNN without features")
    self.userCount = userCount
    self.embeddingSize = embeddingSize
    absence = AbsentModalities(features)
    self.regularization = regularization
    self.aliasBug = aliasBug
    self.staleRanking = staleRanking
    self.seed = seed
    self.features = features.map { feature in Lazy { feature.matrix(0..<feature.rows) } }
    self.adjacency = Lazy(adjacency)
    self.neighbours = SingleEntryCache(neighbours)
    tables = Self.tables(
      userCount: userCount, itemCount: itemCount,
      features: features.map { ($0.name, $0.columns) }, embeddingSize: embeddingSize)
  }

  /// The parameters of a model with these sizes.
  public static func tables(
    userCount: Int, itemCount: Int, features: [(name: String, columns: Int)], embeddingSize: Int
  ) -> [TableSpec] {
    let hiddenSize = 4 * embeddingSize
    return features.flatMap { name, columns in
      [
        TableSpec(
          name: "\(name).preference", rows: userCount, width: embeddingSize,
          initializer: .xavierNormal(rows: userCount, columns: embeddingSize)),
        TableSpec(
          name: "\(name).hidden.weight", rows: hiddenSize, width: columns,
          initializer: .linear(inputs: columns)),
        TableSpec(
          name: "\(name).hidden.bias", rows: 1, width: hiddenSize,
          initializer: .linear(inputs: columns)),
        TableSpec(
          name: "\(name).output.weight", rows: embeddingSize, width: hiddenSize,
          initializer: .linear(inputs: hiddenSize)),
        TableSpec(
          name: "\(name).output.bias", rows: 1, width: embeddingSize,
          initializer: .linear(inputs: hiddenSize)),
      ]
    } + [
      TableSpec(
        name: "user.weight", rows: userCount, width: features.count, initializer: .pushed),
      TableSpec(
        name: "item.weight", rows: itemCount, width: features.count, initializer: .pushed),
    ]
  }

  private static let tablesPerModality = 5
  private var userWeightTable: Int { features.count * Self.tablesPerModality }
  private var itemWeightTable: Int { userWeightTable + 1 }

  /// w and v before training.
  public func initialValues(table: Int, rows: Range<Int>) -> Matrix {
    ModalityWeights.initialValues(tables[table], rows: rows, seed: seed)
  }

  /// All rows: the network runs over the whole graph.
  public func rows(for batch: TripletBatch) -> [RowSelection] { tables.map { _ in .all } }

  /// X_m of every modality, `[U + I, d]`, then Û, `[U, d]`.
  public func propagate(
    on tape: Tape, parameters: [Variable], context: StepContext
  ) -> [Variable] {
    propagate(on: tape, parameters, epoch: context.epoch)
  }

  private func propagate(on tape: Tape, _ parameters: [Variable], epoch: Int?) -> [Variable] {
    let spread = features.indices.map { modality in
      absence.clearing(
        spreadVectors(
          on: tape, features: features[modality].value,
          parameters[(modality * Self.tablesPerModality)...]),
        modality, itemsFrom: userCount, on: tape)
    }
    var weighted = spread
    if aliasBug { weighted[0] = tape.sum(spread.map { ($0, 1) }) }
    let own = tape.weightedRowSum(weighted, weights: parameters[userWeightTable])
    return spread + [tape.add(own, tape.multiply(neighbours[epoch], own))]
  }

  /// X_m, `[U + I, d]`, from a modality's parameters.
  private func spreadVectors(
    on tape: Tape, features: Matrix, _ parameters: ArraySlice<Variable>
  ) -> Variable {
    let first = parameters.startIndex
    let hidden = tape.leakyReLU(
      tape.linear(
        tape.constant(features), parameters[first + 1], bias: parameters[first + 2]))
    let items = tape.linear(hidden, parameters[first + 3], bias: parameters[first + 4])
    let x = tape.rowL2(tape.concatenateRows([parameters[first], items]))
    let once = tape.multiply(adjacency.value, x)
    let twice = tape.multiply(adjacency.value, once)
    return tape.sum([(x, 1), (once, 1), (twice, 1)])
  }

  public func content(on tape: Tape, _ input: BatchInput) -> Content {
    let spread = input.propagated.dropLast()
    let items = input.batch.distinctItems.map { Int32(userCount) + $0 }
    return Content(
      means: spread.map { tape.gather($0, items) },
      users: spread.map { tape.gather($0, input.batch.distinctUsers) })
  }

  public func fused(
    on tape: Tape, _ input: BatchInput, content: Content, rows: BatchRows
  ) -> (users: Variable, items: Variable) {
    (
      tape.gather(input.propagated[features.count], rows.users),
      tape.sum(content.means.map { ($0, 1) })
    )
  }

  public func loss(
    on tape: Tape, _ input: BatchInput, content: Content, items: [Variable],
    likelihood: Likelihood
  ) -> [LossTerm] {
    let batch = input.batch
    let users = tape.gather(input.propagated[features.count], batch.distinctUsers)
    let ranking = tape.rankingTerm(
      users: users, items: tape.sum(items.map { ($0, 1) }), batch: batch, likelihood: likelihood,
      form: .softplus, weight: LossTerm.perBinaryLogarithm)
    let preferences = features.indices.map { modality in
      LossTerm.additive(
        "regularization",
        tape.meanSquare(
          input.parameters[modality * Self.tablesPerModality], batch.users,
          count: batch.globalCount),
        weight: regularization)
    }
    let weights = [userWeightTable, itemWeightTable].map { table in
      LossTerm.estimated(
        "regularization",
        tape.meanSquare(input.parameters[table], count: tables[table].rows),
        weight: regularization, share: batch.share)
    }
    return [ranking] + preferences + weights
  }

  public var final: FinalVectors {
    .whole(
      width: embeddingSize, tables: Array(tables.indices.dropLast()), isStale: staleRanking
    ) { tape, parameters, context in
      let propagated = propagate(on: tape, parameters, epoch: context?.epoch)
      let fused = tape.sum(propagated.dropLast().map { ($0, 1) })
      return (propagated[features.count], tape.rows(fused, userCount..<fused.rows))
    }
  }
}

extension DualGNN {
  /// The model for a data set; its graphs are built when vectors are first propagated.
  public init(_ input: ModelInput, _ settings: SettingValues<Settings>) {
    let (count, pads, seed) = (settings.userNeighbours, settings.padsNeighbours, input.seed)
    self.init(
      userCount: input.userCount, itemCount: input.itemCount, features: input.features,
      embeddingSize: input.embeddingSize, regularization: Float(settings.regularization),
      aliasBug: settings.hasAliasBug,
      staleRanking: settings.staleRanking.isStale(inReference: true), seed: seed,
      adjacency: { input.requiredGraphs.adjacency(.exact) },
      neighbours: {
        input.requiredGraphs.userNeighbours(count: count, pads: pads, seed, epoch: $0)
      })
  }
}

extension GraphStore {
  /// Ω of an epoch, `[U, U]`, or of an evaluation that belongs to no epoch (nil).
  ///
  /// - Parameters:
  ///   - pads: whether short lists are filled up with random repeats.
  ///   - seed: of the run.
  func userNeighbours(count: Int, pads: Bool, _ seed: UInt64, epoch: Int?) -> SparseMatrix {
    // Evaluations outside of an epoch need no random repeats: softmax over what is there.
    guard pads, let epoch else { return userNeighbours(count: count, padding: .none) }
    return userNeighbours(count: count, padding: .urn(seed: seed, epoch: epoch))
  }
}
