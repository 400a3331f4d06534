/// An item and the score that gave it its rank.
public struct RankedItem: Sendable, Equatable {
  public let item: Int
  public let score: Float

  public init(item: Int, score: Float) {
    self.item = item
    self.score = score
  }
}
