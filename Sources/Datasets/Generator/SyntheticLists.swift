/// The items of every user of a generated data set: four bytes per interaction, and eight per user.
struct SyntheticLists {
  /// All lists one after the other.
  private var items: [Int32] = []
  /// Where the list of each user begins, and the end of the last.
  private var starts: [Int]
  /// Items that went to users who had not chosen them.
  private var added: [(user: Int, item: Int32)] = []

  /// - Parameter users: how many lists will be appended.
  init(users: Int) {
    starts = [0]
    starts.reserveCapacity(users + 1)
  }

  /// How many interactions there are.
  var count: Int { items.count + added.count }

  /// Appends the list of the next user.
  mutating func append(_ list: [Int32]) {
    items += list
    starts.append(items.count)
  }

  /// Adds an item to the list of a user. After the last, call ``sortAdded()``.
  mutating func add(item: Int32, to user: Int) { added.append((user, item)) }

  /// Brings the added items into the order of the users.
  mutating func sortAdded() { added.sort { ($0.user, $0.item) < ($1.user, $1.item) } }

  /// Calls `body` with the list of every user, users and items ascending.
  func forEach<Failure: Error>(
    _ body: (_ user: Int, _ items: [Int32]) throws(Failure) -> Void
  ) throws(Failure) {
    var rest = added[...]
    for user in 0..<starts.count - 1 {
      var list = Array(items[starts[user]..<starts[user + 1]])
      while let next = rest.first, next.user == user {
        list.append(next.item)
        rest = rest.dropFirst()
      }
      try body(user, list.sorted())
    }
  }
}
