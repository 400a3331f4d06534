import Datasets
import Tensors

extension Tape {
  /// InfoNCE between two vectors of each triplet, `InfoNCE(x[xIndex], y[yIndex])`.
  ///
  /// The other rows of the batch are the negatives; users or items that occur twice are not
  /// removed. With several shards each has only its own rows: the term is estimated per shard
  /// and averaged by shard size, with fewer negatives than the whole batch would have.
  ///
  /// - Parameters: `x` and `y` are `[J, D]`; the indices have one entry per triplet.
  public func contrastiveTerm(
    _ name: String, _ x: Variable, _ xIndex: [Int32], _ y: Variable, _ yIndex: [Int32],
    temperature: Float, weight: Float, batch: TripletBatch
  ) -> LossTerm {
    .estimated(
      name, infoNCE(gather(x, xIndex), gather(y, yIndex), temperature: temperature),
      weight: weight, share: batch.share)
  }
}
