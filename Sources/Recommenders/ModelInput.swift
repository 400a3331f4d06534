import Datasets
import Settings
import Tensors

/// What a model is built from: as much of the data set as counting parameters needs, without the
/// values of features, and what of the run it may depend on.
public struct ModelInput: Sendable {
  public var userCount: Int
  public var itemCount: Int
  public var features: [FeatureMatrix]
  /// What models that propagate over graphs take them from; nil where none is trained or ranked.
  public var graphs: GraphStore?
  /// d, the width of an embedding and of a content vector.
  public var embeddingSize: Int
  /// The triplets of a full step; MGCN's regulariser is divided by it.
  public var batchSize: Int
  /// The run's, which names the random vectors that are not trained.
  public var seed: UInt64

  public init(
    userCount: Int, itemCount: Int, features: [FeatureMatrix], graphs: GraphStore? = nil,
    embeddingSize: Int = CommonSettings.embeddingSize.defaultValue, batchSize: Int = 2048,
    seed: UInt64 = 0
  ) {
    self.userCount = userCount
    self.itemCount = itemCount
    self.features = features
    self.graphs = graphs
    self.embeddingSize = embeddingSize
    self.batchSize = batchSize
    self.seed = seed
  }

  public init(_ dataset: Dataset, graphs: GraphStore? = nil) {
    self.init(
      userCount: dataset.userCount, itemCount: dataset.itemCount, features: dataset.features,
      graphs: graphs)
  }
}

/// The graphs of a model that propagates. Processes that only need the list of tables have none and
/// never ask for them, so a missing graph is a programming error.
extension ModelInput {
  /// - Precondition: ``graphs`` is given.
  public var requiredGraphs: GraphStore {
    guard let graphs else { preconditionFailure("a model without graphs propagates") }
    return graphs
  }

  /// The graph of each item's nearest items; see `GraphStore.itemNeighbours`.
  ///
  /// - Precondition: ``graphs`` is given, and its data set has the modality.
  public func requiredItemNeighbours(
    modality: Int, count: Int, weighting: NeighbourWeighting
  ) -> SparseMatrix {
    do {
      return try requiredGraphs.itemNeighbours(
        modality: modality, count: count, weighting: weighting)
    } catch {
      preconditionFailure("the model has a modality that its graphs have not: \(error)")
    }
  }

  /// The graph of the strongest directions of the interactions; see
  /// `GraphStore.principalAdjacency`.
  ///
  /// - Precondition: ``graphs`` is given.
  public func requiredPrincipalAdjacency(rank: Int) -> SparseMatrix {
    do {
      return try requiredGraphs.principalAdjacency(rank: rank)
    } catch {
      preconditionFailure("\(error)")
    }
  }
}

extension FeatureMatrix {
  /// A copy of consecutive rows, `[range.count, columns]`.
  func matrix(_ range: Range<Int>) -> Matrix { matrix(range.map(Int32.init)) }

  /// A copy of some rows, `[rows.count, columns]`.
  func matrix(_ rows: [Int32]) -> Matrix {
    let result = Matrix(rows: rows.count, columns: columns)
    gather(rows, into: result.pointer)
    return result
  }
}
