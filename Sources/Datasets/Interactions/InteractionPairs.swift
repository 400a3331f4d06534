/// Users and items side by side, without copying them into pairs.
struct InteractionPairs: RandomAccessCollection {
  var users: [Int32] = []
  var items: [Int32] = []

  var startIndex: Int { 0 }
  var endIndex: Int { users.count }
  subscript(position: Int) -> (Int32, Int32) { (users[position], items[position]) }
}

extension Interactions {
  /// The interactions of one split, in the order of the file, of the users that `isKept` admits.
  func pairs(of label: SplitLabel, keeping isKept: (Int32) -> Bool) -> InteractionPairs {
    let count = labels.count { $0 == label }
    var pairs = InteractionPairs()
    pairs.users.reserveCapacity(count)
    pairs.items.reserveCapacity(count)
    for row in labels.indices where labels[row] == label && isKept(users[row]) {
      pairs.users.append(users[row])
      pairs.items.append(items[row])
    }
    return pairs
  }
}
