/// One shard's part of a step: triplets (user, positive item, negative item), and the distinct rows
/// that they need, so that each row is pulled and computed once.
public struct TripletBatch: Sendable, Equatable {
  /// `[B]`, B = number of triplets of this shard; may be 0.
  public let users: [Int32]
  /// `[B]`: what the user interacted with.
  public let positives: [Int32]
  /// `[B]`: items that the user did not interact with in the training data.
  public let negatives: [Int32]
  /// The triplets of all shards of the step together: the divisor of the loss.
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

/// The distinct values of a list of ids, and the position of each entry of the list among them.
struct DistinctIDs: Equatable {
  /// Ascending, each once.
  let values: [Int32]
  /// `[ids.count]`: `values[index[b]] == ids[b]`.
  let index: [Int32]

  /// Sorts by radix: its time depends on the length of the list alone, not on how many users or
  /// items there are, and no hashing is involved.
  ///
  /// - Precondition: ids are at least 0, and there are fewer than 2^31 of them.
  init(_ ids: [Int32]) {
    let keys = Self.sorted(ids)
    var values: [Int32] = []
    values.reserveCapacity(ids.count)
    var index = [Int32](repeating: 0, count: ids.count)
    for key in keys {
      let id = Int32(truncatingIfNeeded: key >> 32)
      if values.last != id { values.append(id) }
      index[Int(key & 0xFFFF_FFFF)] = Int32(truncatingIfNeeded: values.count - 1)
    }
    self.values = values
    self.index = index
  }

  /// `id << 32 | position`, ascending by id.
  private static func sorted(_ ids: [Int32]) -> [UInt64] {
    let digitBits: UInt64 = 11
    let mask: UInt64 = 1 << digitBits - 1
    var keys = [UInt64](repeating: 0, count: ids.count)
    var largest: UInt64 = 0
    for (position, id) in ids.enumerated() {
      let wide = UInt64(id)
      largest = max(largest, wide)
      keys[position] = wide << 32 | UInt64(position)
    }
    var target = keys
    var shift: UInt64 = 32
    while largest > 0 {
      var starts = [Int](repeating: 0, count: 1 << Int(digitBits))
      for key in keys { starts[Int(key >> shift & mask)] += 1 }
      var sum = 0
      for digit in starts.indices { (starts[digit], sum) = (sum, sum + starts[digit]) }
      for key in keys {
        let digit = Int(key >> shift & mask)
        target[starts[digit]] = key
        starts[digit] += 1
      }
      swap(&keys, &target)
      shift += digitBits
      largest >>= digitBits
    }
    return keys
  }
}
