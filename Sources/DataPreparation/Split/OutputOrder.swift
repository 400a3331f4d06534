/// The order in which a split folder's rows are written: by user; those of one user by time, and by
/// random keys where times are equal. Without times, those of one user are written by item.
///
/// It depends on the interactions and the seed alone, not on the order of lines in the source.
struct OutputOrder: Sequence {
  private let users: [Int32]
  private let order: UserOrder?

  /// - Parameter columns: sorted by user and item, each pair once.
  init(_ columns: InteractionColumns, keys: PairKeys) {
    users = columns.users
    let isByTime = columns.hasUsefulTimes && columns.missingTimeCount == 0
    order = isByTime ? UserOrder(columns, keys: keys, usesTimes: true) : nil
  }

  func makeIterator() -> AnyIterator<Int> {
    guard let order else { return AnyIterator(users.indices.makeIterator()) }
    var rows: [Int] = []
    var position = 0
    var next = 0
    return AnyIterator {
      if position == rows.count {
        guard next < users.count else { return nil }
        var end = next + 1
        while end < users.count, users[end] == users[next] { end += 1 }
        rows = order.rows(next..<end)
        position = 0
        next = end
      }
      defer { position += 1 }
      return rows[position]
    }
  }
}
