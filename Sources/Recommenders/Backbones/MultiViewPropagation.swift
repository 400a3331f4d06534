import Datasets
import Tensors

/// The graphs that MGCN and SOIL propagate over.
package struct ViewGraphs: Sendable {
  /// Â, `[N, N]`, users then items.
  let adjacency: SparseMatrix
  /// R̂, `[U, I]`.
  let userItem: SparseMatrix
  /// M_m per modality, `[I, I]`.
  let itemItem: [SparseMatrix]

  package init(adjacency: SparseMatrix, userItem: SparseMatrix, itemItem: [SparseMatrix]) {
    self.adjacency = adjacency
    self.userItem = userItem
    self.itemItem = itemItem
  }

  /// The content of all nodes and a view of them per modality:
  ///
  ///     C = mean_{l=0…L} Âˡ [P; Q],  z_m of items = M_m y_m,  z_m of users = R̂ M_m y_m
  ///
  /// - Parameters:
  ///   - users: P, `[U, D]`.
  ///   - items: Q, `[I, D]`.
  ///   - purified: y_m per modality, `[I, D]`.
  ///   - layers: L.
  func propagate(
    on tape: Tape, users: Variable, items: Variable, purified: [Variable], layers: Int
  ) -> PropagatedViews {
    let content = tape.layerMean(
      adjacency, tape.concatenateRows([users, items]), layers: layers)
    let itemViews = zip(itemItem, purified).map { tape.multiply($0, $1) }
    let userViews = itemViews.map { tape.multiply(userItem, $0) }
    return PropagatedViews(
      users: NodeViews(content: tape.rows(content, 0..<users.rows), views: userViews),
      items: NodeViews(
        content: tape.rows(content, users.rows..<content.rows), views: itemViews))
  }
}

/// Vectors of some nodes before they are fused, one row per node.
struct NodeViews {
  /// C, from the interactions, `[J, D]`.
  let content: Variable
  /// z_m, the view of each modality, `[J, D]`.
  let views: [Variable]
}

/// The vectors of all users and items that do not depend on the batch.
struct PropagatedViews {
  let users: NodeViews
  let items: NodeViews
  /// Whether there are rows of a batch's distinct users and items alone, because its graph is
  /// sampled.
  private let isOfBatch: Bool

  init(users: NodeViews, items: NodeViews, isOfBatch: Bool = false) {
    self.users = users
    self.items = items
    self.isOfBatch = isOfBatch
  }

  /// What was propagated for a batch.
  init(_ input: BatchInput) {
    self.init(input.propagated, isOfBatch: input.neighbourhood != nil)
  }

  /// The inverse of ``variables``.
  private init(_ variables: [Variable], isOfBatch: Bool) {
    let half = variables.count / 2
    func nodes(_ part: ArraySlice<Variable>) -> NodeViews {
      NodeViews(content: part[part.startIndex], views: Array(part.dropFirst()))
    }
    self.init(
      users: nodes(variables[..<half]), items: nodes(variables[half...]), isOfBatch: isOfBatch)
  }

  /// With 0 as the view of a modality that an item lacks, where the prior stands for it.
  func clearing(_ absence: AbsentModalities, on tape: Tape) -> PropagatedViews {
    let views = items.views.enumerated().map { absence.clearing($1, $0, on: tape) }
    return PropagatedViews(users: users, items: NodeViews(content: items.content, views: views))
  }

  /// The rows of some of a batch's users in one of the users' matrices.
  func users(_ all: Variable, _ rows: BatchRows, on tape: Tape) -> Variable {
    isOfBatch ? rows.users(of: all, on: tape) : tape.gather(all, rows.users)
  }

  /// The rows of some of a batch's items in one of the items' matrices.
  func items(_ all: Variable, _ rows: BatchRows, on tape: Tape) -> Variable {
    isOfBatch ? rows.items(of: all, on: tape) : tape.gather(all, rows.items)
  }

  /// For ``Backbone/propagate(on:parameters:context:)``.
  var variables: [Variable] {
    [users.content] + users.views + [items.content] + items.views
  }

  /// The views of a batch's items and users, to which MRdIB attaches.
  func content(on tape: Tape, _ batch: TripletBatch) -> Content {
    let rows = BatchRows(of: batch)
    return Content(
      means: items.views.map { items($0, rows, on: tape) },
      users: users.views.map { users($0, rows, on: tape) })
  }

  /// `C + side` of some users and items of a batch with given views, one row each.
  func fused(
    on tape: Tape, _ rows: BatchRows, content: Content, side: (NodeViews) -> Variable
  ) -> (users: Variable, items: Variable) {
    func vectors(_ own: Variable, _ views: [Variable]) -> Variable {
      FusedNodes(on: tape, NodeViews(content: own, views: views), side: side).vectors
    }
    return (
      vectors(users(users.content, rows, on: tape), content.users),
      vectors(items(items.content, rows, on: tape), content.means)
    )
  }

  /// `C + side` of all users, `[U, D]`, and items, `[I, D]`.
  func fused(
    on tape: Tape, side: (NodeViews) -> Variable
  ) -> (user: Variable, item: Variable) {
    (
      FusedNodes(on: tape, users, side: side).vectors,
      FusedNodes(on: tape, items, side: side).vectors
    )
  }
}

extension ViewGraphs {
  /// - Precondition: the input has graphs of the data set that its features are from. Only a
  ///   process that computes gets here, and those are what its graphs are built from.
  init(from input: ModelInput, _ make: (GraphStore) throws -> ViewGraphs) {
    guard let store = input.graphs else {
      preconditionFailure("a model computes without the graphs of its data set")
    }
    do {
      self = try make(store)
    } catch {
      preconditionFailure("graphs of another data set: \(error)")
    }
  }
}

/// Nodes whose modality views were fused into one side vector.
struct FusedNodes {
  /// C, `[J, D]`.
  let content: Variable
  /// The fused views of all modalities, `[J, D]`.
  let side: Variable
  /// `C + side`, `[J, D]`.
  let vectors: Variable

  init(on tape: Tape, _ nodes: NodeViews, side: (NodeViews) -> Variable) {
    content = nodes.content
    self.side = side(nodes)
    vectors = tape.add(content, self.side)
  }
}

/// The distinct users and items of a batch with their views fused. The fuser works row by row, so
/// the vectors are the same as when all nodes are fused.
struct FusedBatch {
  let users: FusedNodes
  /// From the means of the items' views, for regularisers and contrastive terms.
  let items: FusedNodes
  /// `C + side` from the views that score, `[distinct items, D]`.
  let scoredItems: Variable

  /// - Parameters:
  ///   - content: the views' means.
  ///   - items: the views that score; `content.means` without sampling.
  ///   - side: fuses views, row by row.
  init(
    on tape: Tape, _ input: BatchInput, content: Content, items sampled: [Variable],
    side: (NodeViews) -> Variable
  ) {
    let propagated = PropagatedViews(input)
    let rows = BatchRows(of: input.batch)
    let userContent = propagated.users(propagated.users.content, rows, on: tape)
    let itemContent = propagated.items(propagated.items.content, rows, on: tape)
    users = FusedNodes(
      on: tape, NodeViews(content: userContent, views: content.users), side: side)
    items = FusedNodes(
      on: tape, NodeViews(content: itemContent, views: content.means), side: side)
    scoredItems =
      content.isReplaced(by: sampled)
      ? FusedNodes(on: tape, NodeViews(content: itemContent, views: sampled), side: side).vectors
      : items.vectors
  }
}

extension Tape {
  /// The terms of MGCN and SMORE after the ranking:
  ///
  ///     λ ½ (‖Û_u‖² + ‖Î_p‖² + ‖Î_n‖²) / batch + c [ InfoNCE(side_p, C_p) + InfoNCE(side_u, C_u) ]
  ///
  /// - Parameters:
  ///   - users: one node per distinct user of the batch.
  ///   - items: one node per distinct item.
  ///   - batchSize: the triplets of a full step, also in a smaller one.
  func sideRegularizers(
    users: FusedNodes, items: FusedNodes, batch: TripletBatch, batchSize: Int,
    regularization: Float, contrast: Float, temperature: Float
  ) -> [LossTerm] {
    let norms = halfSquares(
      users: users.vectors, items: items.vectors, batch: batch, batchSize: batchSize,
      weight: regularization)
    let contrasts = [
      ("contrast.item", items, batch.positiveIndex), ("contrast.user", users, batch.userIndex),
    ].map { name, nodes, index in
      contrastiveTerm(
        name, nodes.side, index, nodes.content, index, temperature: temperature, weight: contrast,
        batch: batch)
    }
    return norms + contrasts
  }
}

extension Tape {
  /// LightGCN's propagation: the mean over layers, the input included, without weights or
  /// nonlinearity.
  ///
  ///     y = 1 / (L + 1) · Σ_{l = 0 … L} Âˡ x
  ///
  /// - Parameters:
  ///   - adjacency: Â, `[N, N]`.
  ///   - x: `[N, D]`.
  /// - Source: He et al. 2020, arXiv:2002.02126, eqs. 7 and 8 with α = 1 / (L + 1).
  func layerMean(_ adjacency: SparseMatrix, _ x: Variable, layers: Int) -> Variable {
    var all = [x]
    for _ in 0..<layers { all.append(multiply(adjacency, all[all.count - 1])) }
    let weight = 1 / Float(layers + 1)
    return sum(all.map { ($0, weight) })
  }
}
