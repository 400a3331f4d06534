/// One shard's part of a step: triplets (user, positive item, negative item), and the distinct rows
/// that they need, so that each row is pulled and computed once.
public struct TripletBatch: Sendable, Equatable {
  /// `[B]`, B = number of triplets of this shard; may be 0.
  public let users: [Int32]
  /// `[B]`: what the user interacted with.
  public let positives: [Int32]
  /// `[B]`: what the user did not interact with, as far as the training data says.
  public let negatives: [Int32]
  /// The triplets of all shards of the step together: what the loss is averaged over.
  public let globalCount: Int

  /// The users, ascending, each once.
  public let distinctUsers: [Int32]
  /// `[B]`: `distinctUsers[userIndex[b]] == users[b]`.
  public let userIndex: [Int32]
  /// The items, positive or negative, ascending, each once.
  public let distinctItems: [Int32]
  /// `[B]`: `distinctItems[positiveIndex[b]] == positives[b]`.
  public let positiveIndex: [Int32]
  /// `[B]`: `distinctItems[negativeIndex[b]] == negatives[b]`.
  public let negativeIndex: [Int32]
  /// The positive items, ascending, each once.
  public let distinctPositives: [Int32]
  /// `distinctItems[distinctPositiveItemIndex[j]] == distinctPositives[j]`.
  public let distinctPositiveItemIndex: [Int32]

  /// Number of triplets in this shard, B.
  public var count: Int { users.count }

  /// - Precondition: the three lists are of one length, no longer than `globalCount`; ids are at
  ///   least 0.
  public init(users: [Int32], positives: [Int32], negatives: [Int32], globalCount: Int) {
    precondition(
      positives.count == users.count && negatives.count == users.count
        && users.count <= globalCount,
      "\(users.count), \(positives.count), \(negatives.count) entries of \(globalCount) triplets")
    self.users = users
    self.positives = positives
    self.negatives = negatives
    self.globalCount = globalCount

    let users = DistinctIDs(users)
    distinctUsers = users.values
    userIndex = users.index

    let items = DistinctIDs(positives + negatives)
    distinctItems = items.values
    positiveIndex = Array(items.index[..<positives.count])
    negativeIndex = Array(items.index[positives.count...])

    var isPositive = [Bool](repeating: false, count: items.values.count)
    for index in positiveIndex { isPositive[Int(index)] = true }
    distinctPositiveItemIndex = isPositive.indices.filter { isPositive[$0] }
      .map { Int32(truncatingIfNeeded: $0) }
    distinctPositives = distinctPositiveItemIndex.map { items.values[Int($0)] }
  }
}
