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

  init(users: NodeViews, items: NodeViews) {
    self.users = users
    self.items = items
  }

  /// The inverse of ``variables``.
  init(_ variables: [Variable]) {
    let half = variables.count / 2
    func nodes(_ part: ArraySlice<Variable>) -> NodeViews {
      NodeViews(content: part[part.startIndex], views: Array(part.dropFirst()))
    }
    self.init(users: nodes(variables[..<half]), items: nodes(variables[half...]))
  }

  /// For ``Backbone/propagate(on:parameters:context:)``.
  var variables: [Variable] {
    [users.content] + users.views + [items.content] + items.views
  }

  /// The views of a batch's items and users, to which MRdIB attaches.
  func content(on tape: Tape, _ batch: TripletBatch) -> Content {
    Content(
      means: items.views.map { tape.gather($0, batch.distinctItems) },
      users: users.views.map { tape.gather($0, batch.distinctUsers) })
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
