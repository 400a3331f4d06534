/// Cuts the users into consecutive windows of a limited number of interactions.
struct UserWindows {
  struct Window {
    let users: Range<Int>
    /// Interactions of earlier users in train, validation and test.
    let first: [Int]
  }

  private let degrees: [[Int32]]
  private let size: Int
  private var user = 0
  private var first = [0, 0, 0]

  /// - Parameters:
  ///   - degrees: interactions of each user in train, validation and test.
  ///   - size: the most interactions of a window, unless one user has more.
  init(degrees: [[Int32]], size: Int) {
    self.degrees = degrees
    self.size = size
  }

  /// The next window; nil after the last user.
  mutating func next() -> Window? {
    let start = user
    let firstOfWindow = first
    var count = 0
    while user < degrees[0].count {
      let ofUser = degrees.reduce(0) { $0 + Int($1[user]) }
      if user > start && count + ofUser > size { break }
      count += ofUser
      for split in 0..<3 { first[split] += Int(degrees[split][user]) }
      user += 1
    }
    return user > start ? Window(users: start..<user, first: firstOfWindow) : nil
  }
}

/// The items of consecutive users in one split.
struct WindowRows {
  /// Those of all users of the window, one user after the other.
  private(set) var items: [Int32]
  private let users: Range<Int>
  /// Where each user's items begin, and the end.
  private let offsets: [Int]
  /// Where the next item of each user goes.
  private var next: [Int]

  init(degrees: [Int32], users: Range<Int>) {
    var offsets = [0]
    offsets.reserveCapacity(users.count + 1)
    for user in users { offsets.append(offsets[offsets.count - 1] + Int(degrees[user])) }
    items = [Int32](repeating: 0, count: offsets[offsets.count - 1])
    self.users = users
    self.offsets = offsets
    next = offsets
  }

  /// Takes an item if its user is in the window, and is kept.
  mutating func insert(_ item: Int32, of user: Int) {
    guard users.contains(user) else { return }
    let index = user - users.lowerBound
    guard next[index] < offsets[index + 1] else { return }
    items[next[index]] = item
    next[index] += 1
  }

  mutating func sort() {
    for index in users.indices.map({ $0 - users.lowerBound }) {
      items[offsets[index]..<offsets[index + 1]].sort()
    }
  }

  private subscript(index: Int) -> ArraySlice<Int32> { items[offsets[index]..<offsets[index + 1]] }

  /// Whether no user has an item twice, in one split or in several.
  ///
  /// - Precondition: all are sorted and of the same users.
  static func areDistinct(_ rows: [WindowRows]) -> Bool {
    var all: [Int32] = []
    for index in 0..<rows[0].users.count {
      all.removeAll(keepingCapacity: true)
      for row in rows { all += row[index] }
      // Train is ascending already, and the others are short.
      all.sort()
      for (first, second) in zip(all, all.dropFirst()) where first == second { return false }
    }
    return true
  }
}

/// A set of small numbers, a bit each.
struct BitSet {
  private var words: [UInt64] = []

  /// - Precondition: `number >= 0`.
  mutating func insert(_ number: Int) {
    let word = number >> 6
    if word >= words.count { words += repeatElement(0, count: word + 1 - words.count) }
    words[word] |= 1 << UInt64(number & 63)
  }

  var largest: Int? {
    words.indices.last.map { $0 << 6 + (63 - words[$0].leadingZeroBitCount) }
  }

  /// The smallest number below ``largest`` that is missing; −1 if there is none.
  var smallestMissing: Int {
    guard let largest, let word = words.firstIndex(where: { $0 != .max }) else { return -1 }
    let number = word << 6 + (~words[word]).trailingZeroBitCount
    return number < largest ? number : -1
  }
}
