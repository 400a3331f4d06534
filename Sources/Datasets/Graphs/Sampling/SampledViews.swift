import Tensors

/// The items of which a batch needs views by modality, as MGCN has them, and the similar items that
/// these are computed from: those of the batch, and sampled ones of its users.
public struct SampledViews: Sendable {
  /// The items, ascending.
  public let items: [Int32]
  /// The places of the batch's distinct items among ``items``.
  public let batchItems: [Int32]
  /// From the items to the batch's distinct users, `[users, items]`.
  public let userItem: SparseMatrix
  /// Of each modality the similar items of the items, `[items, sources]`.
  public let similar: [SampledRows]

  /// - Parameters:
  ///   - users: rows of the graph of users and items, of the batch's distinct users.
  ///   - userCount: U: nodes from there on are items.
  ///   - similar: draws similar items, one modality after the other.
  public init(
    of batch: TripletBatch, users: SampledRows, userCount: Int,
    similar: (_ items: [Int32]) -> [SampledRows]
  ) {
    let firstItem = Int32(truncatingIfNeeded: userCount)
    let viewed = DistinctIDs(batch.distinctItems + users.sources.map { $0 - firstItem })
    let places = viewed.index.dropFirst(batch.distinctItems.count)
    items = viewed.values
    batchItems = Array(viewed.index.prefix(batch.distinctItems.count))
    userItem = SparseMatrix(
      rows: users.targets.count, columns: viewed.values.count, offsets: users.matrix.offsets,
      indices: users.matrix.indices.map { places[places.startIndex + Int($0)] },
      values: users.matrix.values)
    self.similar = similar(viewed.values)
  }
}
