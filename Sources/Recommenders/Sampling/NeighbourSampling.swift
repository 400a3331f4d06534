import Datasets
import Tensors

/// Layer-wise neighbour sampling: what a model that propagates linearly over graphs needs in place
/// of whole matrices.
///
///     z_0 = x,  z_k = x + Â⁽ᵏ⁾ z_{k−1},  y = z_L / (L + 1)
///
/// With `Â⁽ᵏ⁾ = Â` this is the mean over layers `1 / (L + 1) · Σ_l Âˡ x`, written so that z_k is
/// needed only for the nodes that are k − 1 … steps away from the batch. Each `Â⁽ᵏ⁾` is a random
/// matrix of expectation Â (``SampledRows``), independent of the others, so the expectation of y is
/// the full mean. A loss that is not linear in y, and its gradient, have other expectations than
/// those of the full mean; see docs/SampledGraphs.md.
///
/// The draws are a function of seed, epoch, step, layer and node: shards of a step that need the
/// same node's row draw the same neighbours, and so does a worker that computes a shard again.
public struct NeighbourSampling: Sendable {
  private let userCount: Int
  /// L.
  private let layers: Int
  /// From the batch outwards; the last one is that of all further layers.
  private let fanOuts: [Int]
  private let graph: @Sendable (StepContext) -> InteractionGraph
  private let items: (@Sendable () -> SparseMatrix)?
  private let views: (@Sendable () -> [SparseMatrix])?
  private let whole: @Sendable () -> InteractionGraph

  /// - Parameters:
  ///   - layers: L.
  ///   - fanOuts: neighbours of a node in each layer, at most, from the batch outwards; the last
  ///     number is that of all further layers.
  ///   - items: a graph of similar items, `[I, I]`; its rows are never sampled, because they have
  ///     few entries.
  ///   - views: graphs of similar items per modality, `[I, I]`, that views of items are means over;
  ///     sampled with the second fan-out, because sampled items of users have views, too.
  ///   - whole: the graph that final vectors are propagated over.
  ///   - graph: the graph that is sampled; of an epoch, where it changes.
  /// - Precondition: at least one layer and one fan-out.
  public init(
    userCount: Int, layers: Int, fanOuts: [Int],
    items: (@Sendable () -> SparseMatrix)? = nil,
    views: (@Sendable () -> [SparseMatrix])? = nil,
    whole: @escaping @Sendable () -> InteractionGraph,
    graph: @escaping @Sendable (StepContext) -> InteractionGraph
  ) {
    precondition(layers > 0 && !fanOuts.isEmpty, "\(layers) layers, fan-outs \(fanOuts)")
    self.userCount = userCount
    self.layers = layers
    self.fanOuts = fanOuts
    self.items = items
    self.views = views
    self.whole = whole
    self.graph = graph
  }

  /// The neighbourhood of a batch in a step.
  public func neighbourhood(of batch: TripletBatch, context: StepContext) -> Neighbourhood {
    let random = CounterRandom(
      seed: context.seed, stream: .neighbourSample, epoch: context.epoch, step: context.step)
    let graph = graph(context)
    let firstItem = Int32(truncatingIfNeeded: userCount)
    var targets = batch.distinctUsers + batch.distinctItems.map { firstItem + $0 }
    var sampled: [SampledRows] = []
    for layer in 0..<layers {
      let rows = SampledRows(of: graph, targets: targets, draw: draw(random, layer: layer))
      sampled.append(rows)
      targets = rows.sources
    }
    return Neighbourhood(
      of: batch, layers: sampled,
      similarItems: items.map { SampledRows(of: $0(), targets: batch.distinctItems, draw: nil) },
      views: views.map { sampledViews(of: batch, graph, similar: $0(), random) },
      userCount: userCount)
  }

  private func draw(_ random: CounterRandom, layer: Int, fanOut place: Int? = nil) -> NeighbourDraw
  {
    NeighbourDraw(
      random, layer: layer, fanOut: fanOuts[min(place ?? layer, fanOuts.count - 1)])
  }

  /// The views of a batch's items, and of items of its users: the users' neighbours are those of
  /// the first layer of propagation.
  private func sampledViews(
    of batch: TripletBatch, _ graph: InteractionGraph, similar: [SparseMatrix],
    _ random: CounterRandom
  ) -> SampledViews {
    SampledViews(
      of: batch,
      users: SampledRows(of: graph, targets: batch.distinctUsers, draw: draw(random, layer: 0)),
      userCount: userCount
    ) { items in
      similar.enumerated().map { modality, graph in
        SampledRows(
          of: graph, targets: items, draw: draw(random, layer: layers + modality, fanOut: 1))
      }
    }
  }

  /// The exact vectors of all users and items.
  ///
  /// - Parameter tables: those that are propagated.
  public func finalVectors(
    width: Int, tables: (user: Int, item: Int), itemCount: Int
  ) -> LayeredFinalVectors {
    LayeredFinalVectors(
      width: width, layers: layers, tables: tables, userCount: userCount, itemCount: itemCount,
      items: items, graph: whole)
  }
}

extension Tape {
  /// The mean over layers of a batch's nodes, from the vectors of its neighbourhood.
  ///
  /// - Parameter x: users, then items of the neighbourhood, `[nodes, D]`.
  /// - Returns: the batch's distinct users, then its distinct items, `[nodes of the batch, D]`.
  func layerMean(in neighbourhood: Neighbourhood, _ x: Variable) -> Variable {
    let layers = neighbourhood.layers
    var vectors = gather(x, layers[layers.count - 1].sources)
    for (index, layer) in layers.enumerated().reversed() {
      let weight: Float = index == 0 ? 1 / Float(layers.count + 1) : 1
      vectors = sum([
        (gather(x, layer.targets), weight), (multiply(layer.matrix, vectors), weight),
      ])
    }
    return vectors
  }
}

/// Rows of a batch's nodes, whether its model propagates over whole graphs or over a sample.
extension BatchInput {
  /// The rows of the batch's distinct users in the first of the propagated matrices.
  func propagatedUsers(on tape: Tape) -> Variable {
    neighbourhood == nil ? tape.gather(propagated[0], batch.distinctUsers) : propagated[0]
  }

  /// The rows of some of the batch's items in the second of the propagated matrices.
  func propagatedItems(_ rows: BatchRows, on tape: Tape) -> Variable {
    neighbourhood == nil
      ? tape.gather(propagated[1], rows.items) : rows.items(of: propagated[1], on: tape)
  }

  /// The rows of the batch's distinct items in the second of the propagated matrices.
  func propagatedItems(on tape: Tape) -> Variable {
    propagatedItems(BatchRows(of: batch), on: tape)
  }

  /// The rows of the batch's distinct users in a table that is pulled with all users of the graph.
  func users(ofTable table: Int, on tape: Tape) -> Variable {
    tape.gather(parameters[table], neighbourhood?.batchUsers ?? batch.distinctUsers)
  }

  /// The rows of the batch's distinct items in a table that is pulled with all items of the graph.
  func items(ofTable table: Int, on tape: Tape) -> Variable {
    tape.gather(parameters[table], neighbourhood?.batchItems ?? batch.distinctItems)
  }
}
