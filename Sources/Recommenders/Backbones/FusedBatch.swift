import Datasets
import Tensors

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
    let propagated = PropagatedViews(input.propagated)
    let userContent = tape.gather(propagated.users.content, input.batch.distinctUsers)
    let itemContent = tape.gather(propagated.items.content, input.batch.distinctItems)
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
