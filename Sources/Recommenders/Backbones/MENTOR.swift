import Datasets
import Settings
import Tables
import Tensors

/// MENTOR: self-supervision at several levels over propagated modalities.
///
///     x_b = rowL2([Φ_b ; LReLU(F_b W₁ᵀ + b₁) W₂ᵀ + b₂]),  X_b = x_b + Â x_b + Â² x_b
///     r = [ w_1 X_1 | … | w_M X_M ] (users),  [ Î_1 | … | Î_M ],  Î_m = X_m + M X_m (items)
///
///     L = −mean log₂ σ(⟨r_u, r_p − r_n⟩) + λ (Σ_m mean(Φ_m[u]²) + mean(w²))
///         + a · align(guide, r, r_1, …, r_M) + f · mask(r)
///         + γ (InfoNCE(n_U, n'_U) + InfoNCE(n_I, n'_I))
///
/// Branches b are the modalities, ids (features κ), and two noisy copies of each modality with
/// parameters of their own, of which n and n' are formed as r is. Noise follows each propagation;
/// see `Tape.addingSignedNoise`. The guide has the id branch in place of every modality, and r_m
/// modality m, both with unweighted users. `align` is `Tape.momentAlignment`. M is the item graph
/// of ``FREEDOM``.
///
///     mask(r) = 2 − mean_u cos(drop(r_u), A r_u + a₀) − mean_i cos(drop(r_i), A r_i + a₀)
///
/// Faithful to the reference where it departs from what one would expect:
/// - the mask term is computed without gradients, a constant of the step, so that A never changes;
///   `mask_gradient` trains A and r with it, against the constant drop(r);
/// - the id branch and the noisy branches affect the ranking only through the alignment and w.
///   With `cl_weight` 0 the noisy branches are left out, with `align_weight` 0 the alignment is;
/// - `stale_ranking`: an evaluation ranks with the vectors of the last training step.
///
/// The InfoNCE terms are over all users and all items (`contrastive_scope` all), in blocks; `batch`
/// has those of each shard's triplets alone.
///
/// **MRdIB** attaches where the rest of the score is row-wise: μ_m is Î_m, and w_m X_m its user.
///
/// - Parameters: item κ `[I, d]` Xavier normal; user.weight w `[U, M]`, softmaxes; mask A
///   `[M d, M d]` and a₀; per branch preference Φ `[U, d]` Xavier normal, hidden `[4d, F]` and
///   output `[d, 4d]` with biases.
/// - Over several shards ranking and the norms of Φ add up; the terms over all nodes are the same
///   on every shard and each counts its share; `batch` contrasts are estimated per shard.
/// - More than two modalities are ours.
/// - Source: Xu et al. 2025, "MENTOR: Multi-level Self-supervised Learning for Multimodal
///   Recommendation", arXiv:2402.19407, as in Jinfeng-Xu/MENTOR 1581d27.
public struct MENTOR: NamedBackbone {
  public static let name = "mentor"
  public static let needsFeatures = true
  public static let hasContent = true
  public static let hasScoreParts = true
  public static let defaults = """
    # MENTOR: self-supervised alignment of modalities. No best settings are published.
    reg_weight: 1e-3
    cl_weight: 1e-4  # of the published grid 1e-4, 1e-3
    learning_rate: 1e-4
    mm_image_weight: 0.1
    """

  public struct Settings: SettingGroup {
    /// λ.
    public let regularization = CommonSettings.regularization
    public let itemNeighbours = CommonSettings.itemNeighbours
    public let firstModalityWeight = CommonSettings.firstModalityWeight
    /// γ.
    public let contrastiveWeight = CommonSettings.contrastiveWeight
    /// τ.
    public let temperature = Setting(
      "contrastive_temperature", default: 0.2, .within(0.01...100), aliases: ["temp"],
      help: "τ of MENTOR's contrastive terms (of the published grid 0.2, 0.4, 0.6).")
    public let scope = Setting(
      "contrastive_scope", default: ContrastiveScope.all,
      help: "Rows that MENTOR's contrastive terms compare: all users and items, as its code does,"
        + " or those of a batch, which costs less where there are many.")
    /// a.
    public let alignmentWeight = Setting(
      "align_weight", default: 0.1, .weight, help: "Weight of MENTOR's alignment of moments.")
    /// f.
    public let maskWeight = Setting(
      "mask_weight", default: 1.5, .weight, aliases: ["mask_weight_f"],
      help: "Weight of MENTOR's term on masked vectors; a constant without mask_gradient.")
    /// p.
    public let maskShare = Setting(
      "mask_dropout", default: 0.5, .within(0..<1),
      help: "Share of the elements that MENTOR's mask sets to 0.")
    public let hasMaskGradient = Setting(
      "mask_gradient", default: false,
      help: "Train with MENTOR's term on masked vectors; its code computes it without gradients.")
    /// The reference ranks with the vectors of the last training forward.
    public let staleRanking = CommonSettings.staleRanking

    public init() {}
  }

  let layout: Layout
  let userCount: Int
  private let embeddingSize: Int
  private let modalityNames: [String]
  let settings: SettingValues<Settings>
  private let seed: UInt64
  let draws: Draws
  let features: Lazy<[Matrix]>
  private let absence: AbsentModalities
  private let adjacency: Lazy<SparseMatrix>
  private let itemGraph: Lazy<SparseMatrix>

  /// - Parameters:
  ///   - seed: the run's; the initial values of w depend on it.
  ///   - draws: the random numbers of a step.
  ///   - adjacency: Â, `[U + I, U + I]`, users first; called only in processes that compute.
  ///   - items: M, `[I, I]`, likewise.
  /// - Precondition: at least one modality.
  package init(
    userCount: Int, itemCount: Int, features: [FeatureMatrix], embeddingSize: Int,
    settings: SettingValues<Settings>, seed: UInt64, draws: Draws = .counterBased,
    adjacency: @escaping @Sendable () -> SparseMatrix,
    items: @escaping @Sendable () -> SparseMatrix
  ) {
    precondition(!features.isEmpty, "MENTOR without features")
    self.userCount = userCount
    self.embeddingSize = embeddingSize
    absence = AbsentModalities(features)
    self.settings = settings
    self.seed = seed
    self.draws = draws
    modalityNames = features.map(\.name)
    self.features = Lazy { features.map { $0.matrix(0..<$0.rows) } }
    self.adjacency = Lazy(adjacency)
    itemGraph = Lazy(items)
    layout = Layout(
      userCount: userCount, itemCount: itemCount,
      modalities: features.map { ($0.name, $0.columns) }, embeddingSize: embeddingSize,
      hasNoisyBranches: settings.contrastiveWeight > 0)
  }

  public var tables: [TableSpec] { layout.list.specs }

  /// The parameters of a model with these sizes; a modality is its name and feature width.
  public static func tables(
    userCount: Int, itemCount: Int, modalities: [(name: String, width: Int)],
    embeddingSize: Int, hasNoisyBranches: Bool = true
  ) -> [TableSpec] {
    Layout(
      userCount: userCount, itemCount: itemCount, modalities: modalities,
      embeddingSize: embeddingSize, hasNoisyBranches: hasNoisyBranches
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
    let vectors = modalityVectors(on: tape, parameters)
    let weighted = weighted(on: tape, vectors, parameters)
    var result = StepVectors(users: weighted.users, items: weighted.items)
    if settings.alignmentWeight > 0 {
      result.terms.append(alignment(on: tape, vectors, weighted, parameters))
    }
    if settings.maskWeight > 0 {
      result.terms.append(mask(on: tape, weighted, parameters, context))
    }
    if settings.contrastiveWeight > 0 {
      let copies = (0..<layout.noisy.count).map { noisyCopy(on: tape, $0, parameters, context) }
      let pairs = [
        (copies[0].users, copies[1].users), (copies[0].items, copies[1].items),
      ].map { (tape.concatenateColumns($0), tape.concatenateColumns($1)) }
      switch settings.scope {
      case .all:
        result.terms += pairs.map {
          tape.blockedInfoNCE($0, $1, temperature: Float(settings.temperature))
        }
      case .batch: result.noisy = pairs.flatMap { [$0, $1] }
      }
    }
    return result.variables
  }

  /// X_m of every modality, `[N, d]`.
  private func modalityVectors(on tape: Tape, _ parameters: [Variable]) -> [Variable] {
    zip(layout.modalities, features.value).map { branch, features in
      spread(on: tape, branch, features: tape.constant(features), parameters) { vectors, _ in
        vectors
      }
    }
  }

  /// X_b, `[N, d]`.
  ///
  /// - Parameter disturb: what follows propagation 1 and 2.
  func spread(
    on tape: Tape, _ branch: PreferenceBranch, features: Variable, _ parameters: [Variable],
    disturb: (_ vectors: Variable, _ propagation: Int) -> Variable
  ) -> Variable {
    let items = branch.items(on: tape, features, parameters)
    let start = branch.nodes(on: tape, items: items, parameters)
    let once = disturb(tape.multiply(adjacency.value, start), 1)
    let twice = disturb(tape.multiply(adjacency.value, once), 2)
    return tape.sum([(start, 1), (once, 1), (twice, 1)])
  }

  /// w_m X_m of users, `[U, d]`, and Î_m, `[I, d]`, per modality.
  func weighted(
    on tape: Tape, _ vectors: [Variable], _ parameters: [Variable]
  ) -> (users: [Variable], items: [Variable]) {
    let weights = parameters[layout.userWeight]
    return (
      vectors.enumerated().map { modality, vectors in
        tape.weightedRowSum([vectors], weights: tape.columns(weights, modality..<modality + 1))
      },
      vectors.enumerated().map { absence.clearing(similar(on: tape, $1), $0, on: tape) }
    )
  }

  /// X + M X of items, `[I, d]`.
  func similar(on tape: Tape, _ vectors: Variable) -> Variable {
    let items = tape.rows(vectors, userCount..<vectors.rows)
    return tape.add(items, tape.multiply(itemGraph.value, items))
  }

  public func content(on tape: Tape, _ input: BatchInput) -> Content {
    let vectors = StepVectors(input.propagated, modalityCount: modalityNames.count)
    return Content(
      means: vectors.items.map { tape.gather($0, input.batch.distinctItems) },
      users: vectors.users.map { tape.gather($0, input.batch.distinctUsers) })
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
    let vectors = StepVectors(
      input.propagated, modalityCount: modalityNames.count, termCount: termsOfAllNodes.count)
    let ranking = tape.rankingTerm(
      users: tape.concatenateColumns(content.users), items: tape.concatenateColumns(items),
      batch: batch, likelihood: likelihood, form: .softplus, weight: LossTerm.perBinaryLogarithm)
    let regularizers = tape.preferenceRegularizers(
      layout.modalities.map { input.parameters[$0.preference] },
      weights: input.parameters[layout.userWeight], batch: batch,
      weight: Float(settings.regularization))
    let ofAllNodes = zip(termsOfAllNodes, vectors.terms).map { term, variable in
      LossTerm.estimated(term.name, variable, weight: Float(term.weight), share: batch.share)
    }
    return [ranking] + regularizers + ofAllNodes + batchContrasts(on: tape, vectors, batch)
  }

  public var final: FinalVectors {
    .whole(
      width: embeddingSize * modalityNames.count, tables: layout.rankingTables,
      isStale: settings.staleRanking.isStale(inReference: true)
    ) { tape, parameters, _ in
      let weighted = weighted(
        on: tape, modalityVectors(on: tape, parameters), parameters)
      return (tape.concatenateColumns(weighted.users), tape.concatenateColumns(weighted.items))
    }
  }

  /// The vectors are `[r_1 | … | r_M]`, so that each block of columns is a part.
  public var scoreParts: [ScorePart] {
    modalityNames.enumerated().map { position, name in
      ScorePart(
        name: name, columns: position * embeddingSize..<(position + 1) * embeddingSize)
    }
  }
}

/// Which rows MENTOR's contrastive terms compare.
public enum ContrastiveScope: String, SettingChoice {
  /// All users, and all items.
  case all
  /// The users and items of a shard's triplets.
  case batch
}

extension MENTOR {
  /// A model over a data set's graphs, which are built when it first propagates.
  public init(_ input: ModelInput, _ settings: SettingValues<Settings>) {
    let (first, count) = (Float(settings.firstModalityWeight), settings.itemNeighbours)
    self.init(
      userCount: input.userCount, itemCount: input.itemCount, features: input.features,
      embeddingSize: input.embeddingSize, settings: settings, seed: input.seed,
      adjacency: { input.requiredGraphs.adjacency(.exact) },
      items: { input.mixedItemNeighbours(first: first, count: count) })
  }
}
