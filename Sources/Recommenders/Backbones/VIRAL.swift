import Datasets
import Settings
import Tables
import Tensors

/// VIRAL: vision as text, split by partial information decomposition, over three graphs.
///
/// From text t and vision v, `[I, D_in]` (embeddings of titles and of descriptions that a
/// vision-language model wrote of the images), it makes a synergy s, a redundancy r and the part of
/// vision that is unique (``SynergyBlocks``, ``RedundancyBlock``):
///
///     v' = rowL2( v − (⟨v, r⟩ / (‖r‖² + 1e-8)) r )
///
///     x_b = rowL2([Φ_b ; m_b(z_b)]),  X_b = x_b + Â x_b + Â² x_b       for z = t, s, v'
///     Î = x + M x,        x = [X_t | X_s | X_v'] of items
///     Û = ½ (x + Ω x),    x = [w₀ X_t | w₁ X_s | w₂ X_v'] of users,    s(u, i) = ⟨Û_u, Î_i⟩
///
///     L = −mean log₂ σ(s(u,p) − s(u,n)) + λ_reg (Σ_b mean(Φ_b[u]²) + mean(w²)) + λ (L_s + L_r)
///     L_s = N(h_t, h_v) of the synergy,  L_r = N(h_t, r) + N(h_v, r) + N(h_v, h_t)
///
/// N is InfoNCE in both directions with τ = 0.1, over all items in every step. Â is normalised by
/// plain degrees, M the mean of the modalities' graphs of nearest items, Ω the graph of users with
/// most items in common. w begins as a softmax over the blocks and is free afterwards.
///
/// ``Settings/fusion`` and ``Settings/visual`` have the ablations. Of the code's quirks: v' is
/// mapped by one layer and all other blocks by two; an evaluation ranks with the vectors of the
/// last training step; the decomposition works on the items' features, before anything is
/// propagated, where the paper has it on propagated vectors of users and items; L_s pulls the two
/// vectors of the "synergy" together, which makes them share content.
///
/// A description embeds the title as well: part of what counts as vision here is text.
///
/// - Parameters: per block the preferences Φ `[U, d]` Xavier normal and one or two linear layers;
///   transformer blocks; w `[U, blocks]`. The maps of queries and keys of the transformer blocks
///   get no gradient in the reference; they are no tables here
///   (``omittedCount(width:settings:)``).
/// - MRdIB attaches after the item graph: μ_m are the columns of vision and text of Î, and s stays
///   as it is.
/// - Over several shards: L_s and L_r over all items are the same on every shard; over the items of
///   a batch they are estimated from each shard's own items.
/// - Source: VIRAL, as in its authors' code, branch `redu2` c9aad8f (full), `master` bdfb3c6
///   (synergy), `abla_concat` f626463 and `abl_1modal` 1c4f12e.
public struct VIRAL: NamedBackbone {
  public static let name = "viral"
  public static let needsFeatures = true
  public static let hasContent = true
  public static let hasScoreParts = true
  public static let defaults = """
    # VIRAL: vision as text, partial information decomposition, three graphs.
    reg_weight: 1e-3
    agreement_weight: 1e-2  # 1e-3 with fusion synergy
    learning_rate: 1e-4
    stopping_step: 30
    """
  /// τ.
  static let temperature: Float = 0.1

  private let userCount: Int
  private let embeddingSize: Int
  private let seed: UInt64
  private let inputs: Features
  private let layout: Layout
  private let settings: SettingValues<Settings>
  private let adjacency: Lazy<SparseMatrix>
  private let itemGraph: Lazy<SparseMatrix>
  /// Ω by epoch; nil stands for an evaluation, which belongs to no epoch.
  private let neighbours: SingleEntryCache<Int?, SparseMatrix>

  /// What makes the graphs; called only in processes that compute.
  package struct Graphs: Sendable {
    /// Â, `[U + I, U + I]`, users first.
    let adjacency: @Sendable () -> SparseMatrix
    /// M, `[I, I]`.
    let items: @Sendable () -> SparseMatrix
    /// Ω of an epoch, `[U, U]`, or of an evaluation that belongs to no epoch (nil).
    let users: @Sendable (_ epoch: Int?) -> SparseMatrix

    package init(
      adjacency: @escaping @Sendable () -> SparseMatrix,
      items: @escaping @Sendable () -> SparseMatrix,
      users: @escaping @Sendable (_ epoch: Int?) -> SparseMatrix
    ) {
      (self.adjacency, self.items, self.users) = (adjacency, items, users)
    }
  }

  /// - Parameters:
  ///   - vision: nil where the model reads text alone.
  ///   - text: nil where the model reads vision alone and maps it to no other width.
  ///   - seed: the run's; the initial values of w depend on it.
  /// - Throws: ``ModelError`` when the widths differ and no setting says what to do.
  /// - Precondition: there are the features that `settings.fusion` reads.
  package init(
    userCount: Int, vision: FeatureMatrix?, text: FeatureMatrix?, embeddingSize: Int,
    settings: SettingValues<Settings>, seed: UInt64, graphs: Graphs
  ) throws(ModelError) {
    self.userCount = userCount
    self.embeddingSize = embeddingSize
    self.seed = seed
    self.settings = settings
    inputs = try Features(vision: vision, text: text, settings: settings)
    layout = Layout(
      userCount: userCount,
      names: (inputs.vision?.name ?? "vision", inputs.text?.name ?? "text"), width: inputs.width,
      projectedWidth: inputs.projectsVision ? inputs.vision?.columns : nil,
      embeddingSize: embeddingSize, settings: settings)
    adjacency = Lazy(graphs.adjacency)
    itemGraph = Lazy(graphs.items)
    neighbours = SingleEntryCache(graphs.users)
  }

  public var tables: [TableSpec] { layout.list.specs }

  /// Of one modality there is nothing to fuse. Both variants of one modality are the same model.
  public static func settings(reading modalities: [String]) -> [(key: String, value: String)] {
    guard modalities.count == 1 else { return [] }
    let fusion = modalities == ["text"] ? Fusion.textOnly : .visualOnly
    return [("fusion", fusion.rawValue)]
  }

  /// w before training.
  public func initialValues(table: Int, rows: Range<Int>) -> Matrix {
    ModalityWeights.initialValues(tables[table], rows: rows, seed: seed)
  }

  /// All rows: the network runs over the whole graph.
  public func rows(for batch: TripletBatch) -> [RowSelection] { tables.map { _ in .all } }

  /// Û `[U, blocks · d]`, Î `[I, blocks · d]`, then per contrastive term its value, or its vectors
  /// `[I, D_in]` if it is of the batch's items; at last what ``statistics(_:)`` needs.
  public func propagate(
    on tape: Tape, parameters: [Variable], context: StepContext
  ) -> [Variable] {
    let fused = fuse(on: tape, parameters)
    let spread = spread(on: tape, fused.vectors, parameters, epoch: context.epoch)
    let terms = zip(settings.fusion.agreements, fused.agreeing).flatMap { agreement, vectors in
      settings.scope == .all ? [agreement.loss(on: tape, vectors)] : vectors
    }
    return [spread.users, spread.items] + terms
      + decomposition(on: tape, items: spread.items, of: fused.divided)
  }

  /// What the items' features are made into.
  private struct Fused {
    /// z_b, `[I, D_in]`, in the order of the blocks.
    let vectors: [Variable]
    /// The vectors of each contrastive term.
    let agreeing: [[Variable]]
    /// t, v and r, `[I, D_in]`; nil without a redundancy.
    let divided: (text: Variable, vision: Variable, r: Variable)?
  }

  private func fuse(on tape: Tape, _ parameters: [Variable]) -> Fused {
    let text = inputs.constant(.text, on: tape)
    let given = inputs.constant(.vision, on: tape)
    let vision = given.map { layout.projection?.apply(on: tape, $0, parameters) ?? $0 }
    // Of a single modality, both are that one.
    guard let t = text ?? vision, let v = vision ?? text else {
      preconditionFailure("VIRAL without vision and text")
    }
    let synergy = layout.synergy?.apply(on: tape, text: t, vision: v, parameters)
    let redundancy = layout.redundancy?.apply(on: tape, text: t, vision: v, parameters)
    let vectors = layout.blocks.map { block in
      switch block.source {
      case .text: t
      case .vision: redundancy.map { unique(on: tape, v, redundancy: $0[2]) } ?? v
      case .synergy: tape.sum((synergy ?? []).map { ($0, 0.5) })
      }
    }
    return Fused(
      vectors: vectors, agreeing: [synergy, redundancy].compactMap { $0 },
      divided: redundancy.map { (t, v, $0[2]) })
  }

  /// v', `[I, D_in]`.
  private func unique(
    on tape: Tape, _ vision: Variable, redundancy: Variable
  ) -> Variable {
    let removed = settings.detachesRedundancy ? tape.detached(redundancy) : redundancy
    let part = tape.orthogonalPart(of: vision, to: removed)
    return settings.normalizesUnique ? tape.rowL2(part) : part
  }

  /// Û and Î.
  private func spread(
    on tape: Tape, _ vectors: [Variable], _ parameters: [Variable], epoch: Int?
  ) -> (users: Variable, items: Variable) {
    let nodes = zip(layout.blocks, vectors).map { block, vectors in
      let items = block.branch.items(on: tape, vectors, parameters)
      return block.branch.nodes(on: tape, items: items, parameters)
    }
    let x = tape.concatenateColumns(nodes)
    let once = tape.multiply(adjacency.value, x)
    let twice = tape.multiply(adjacency.value, once)
    let sum = tape.sum([(x, 1), (once, 1), (twice, 1)])
    let items = tape.rows(sum, userCount..<sum.rows)
    let users = weighted(on: tape, tape.rows(sum, 0..<userCount), parameters)
    return (
      tape.sum([(users, 0.5), (tape.multiply(neighbours[epoch], users), 0.5)]),
      clearing(on: tape, tape.add(items, tape.multiply(itemGraph.value, items)))
    )
  }

  /// Î, with 0 in the block of a modality that an item lacks, where the prior stands for it.
  private func clearing(on tape: Tape, _ items: Variable) -> Variable {
    let absence = AbsentModalities([inputs.vision, inputs.text])
    guard absence.isAny else { return items }
    return tape.concatenateColumns(
      layout.blocks.indices.map { block in
        let vectors = tape.columns(items, columns(block))
        return switch layout.blocks[block].source {
        case .vision: absence.clearing(vectors, 0, on: tape)
        case .text: absence.clearing(vectors, 1, on: tape)
        case .synergy: vectors
        }
      })
  }

  /// The users' blocks, each times its weight.
  private func weighted(
    on tape: Tape, _ users: Variable, _ parameters: [Variable]
  ) -> Variable {
    guard let userWeight = layout.userWeight else { return users }
    return tape.concatenateColumns(
      layout.blocks.indices.map { block in
        tape.weightedRowSum(
          [tape.columns(users, columns(block))],
          weights: tape.columns(parameters[userWeight], block..<block + 1))
      })
  }

  /// The columns of a block in Û and Î.
  private func columns(_ block: Int) -> Range<Int> {
    block * embeddingSize..<(block + 1) * embeddingSize
  }

  /// The columns of the blocks in Û and Î.
  var blockColumns: [Range<Int>] { layout.blocks.indices.map(columns) }

  /// The blocks' names, and what they come from.
  var blockSources: [(name: String, source: Source)] { layout.blocks.map { ($0.name, $0.source) } }

  /// The names of the modalities that a redundancy is taken out of; nil without one.
  var redundancyNames: (vision: String, text: String)? {
    guard layout.redundancy != nil, let vision = inputs.vision, let text = inputs.text else {
      return nil
    }
    return (vision.name, text.name)
  }
}

/// The loss, and what MRdIB works on.
extension VIRAL {
  /// The blocks of modalities, vision first.
  private var contentBlocks: [Int] {
    [Source.vision, .text].compactMap { source in
      layout.blocks.firstIndex { $0.source == source }
    }
  }

  public var contentModalities: [String]? { contentBlocks.map { layout.blocks[$0].name } }

  public func content(on tape: Tape, _ input: BatchInput) -> Content {
    let users = tape.gather(input.propagated[0], input.batch.distinctUsers)
    let items = tape.gather(input.propagated[1], input.batch.distinctItems)
    return Content(
      means: contentBlocks.map { tape.columns(items, columns($0)) },
      users: contentBlocks.map { tape.columns(users, columns($0)) })
  }

  public func fused(
    on tape: Tape, _ input: BatchInput, content: Content, rows: BatchRows
  ) -> (users: Variable, items: Variable) {
    (
      tape.gather(input.propagated[0], rows.users),
      joined(on: tape, input, content.means, items: rows.items)
    )
  }

  /// The vectors of items with `means` in the blocks of modalities, `[items, blocks · d]`.
  private func joined(
    on tape: Tape, _ input: BatchInput, _ means: [Variable], items: [Int32]
  ) -> Variable {
    var modalities = Dictionary(uniqueKeysWithValues: zip(contentBlocks, means))
    for block in layout.blocks.indices where modalities[block] == nil {
      let all = tape.columns(input.propagated[1], columns(block))
      modalities[block] = tape.gather(all, items)
    }
    return tape.concatenateColumns(layout.blocks.indices.compactMap { modalities[$0] })
  }

  public func loss(
    on tape: Tape, _ input: BatchInput, content: Content, items: [Variable],
    likelihood: Likelihood
  ) -> [LossTerm] {
    let batch = input.batch
    let ranking = tape.rankingTerm(
      users: tape.gather(input.propagated[0], batch.distinctUsers),
      items: joined(on: tape, input, items, items: batch.distinctItems), batch: batch,
      likelihood: likelihood, form: .softplus, weight: LossTerm.perBinaryLogarithm)
    let regularizers = tape.preferenceRegularizers(
      layout.blocks.map { input.parameters[$0.branch.preference] },
      weights: layout.userWeight.map { input.parameters[$0] }, batch: batch,
      weight: Float(settings.regularization))
    return [ranking] + regularizers + agreements(on: tape, input)
  }

  private func agreements(on tape: Tape, _ input: BatchInput) -> [LossTerm] {
    var position = 2
    return settings.fusion.agreements.map { agreement in
      let value: Variable
      if settings.scope == .all {
        value = input.propagated[position]
        position += 1
      } else {
        let vectors = input.propagated[position..<position + agreement.vectorCount]
        position += agreement.vectorCount
        value = agreement.loss(
          on: tape, vectors.map { tape.gather($0, input.batch.distinctItems) })
      }
      return .estimated(
        agreement.term, value, weight: Float(settings.agreementWeight), share: input.batch.share)
    }
  }

  public var final: FinalVectors {
    .whole(
      width: layout.blocks.count * embeddingSize, tables: Array(tables.indices),
      isStale: settings.staleRanking.isStale(inReference: true)
    ) { tape, parameters, context in
      let vectors = fuse(on: tape, parameters).vectors
      let spread = spread(on: tape, vectors, parameters, epoch: context?.epoch)
      return (spread.users, spread.items)
    }
  }

  public var scoreParts: [ScorePart] {
    layout.blocks.indices.map { ScorePart(name: layout.blocks[$0].name, columns: columns($0)) }
  }
}

extension VIRAL {
  /// The model for a data set; its graphs are built when vectors are first propagated.
  ///
  /// - Throws: ``ModelError`` for modalities that the data set has not, or whose widths differ.
  public init(_ input: ModelInput, _ settings: SettingValues<Settings>) throws {
    let positions = try Self.positions(in: input.features, settings)
    let (count, pads, seed) = (settings.userNeighbours, settings.padsNeighbours, input.seed)
    let read = [
      settings.fusion == .textOnly ? nil : positions.vision,
      settings.fusion == .visualOnly ? nil : positions.text,
    ].compactMap { $0 }
    try self.init(
      userCount: input.userCount, vision: positions.vision.map { input.features[$0] },
      text: positions.text.map { input.features[$0] }, embeddingSize: input.embeddingSize,
      settings: settings, seed: seed,
      graphs: Graphs(
        adjacency: { input.requiredGraphs.adjacency(.exact) },
        items: {
          SparseMatrix.sum(
            read.map { modality in
              (
                1 / Float(read.count),
                input.requiredItemNeighbours(
                  modality: modality, count: settings.itemNeighbours, weighting: .unweighted)
              )
            })
        },
        users: {
          input.requiredGraphs.userNeighbours(count: count, pads: pads, seed, epoch: $0)
        }))
  }
}
