/// How much one server can be sent at once. The network takes no larger frame: a larger push would
/// never arrive.
package enum PushLimit {
  /// The values of one table in a push.
  package struct Share {
    let table: String
    let byteCount: Int

    package init(table: String, byteCount: Int) {
      self.table = table
      self.byteCount = byteCount
    }
  }

  /// The transport's largest frame.
  package static let byteCount = 256 << 20

  /// - Throws: ``TrainingError`` that names the table with most of the bytes.
  package static func check(_ shares: [Share], server: Int) throws(TrainingError) {
    let total = shares.reduce(0) { $0 + $1.byteCount }
    guard total > byteCount, let largest = shares.max(by: { $0.byteCount < $1.byteCount }) else {
      return
    }
    throw TrainingError(
      "Cannot push \(total) bytes to server \(server), of which \(largest.byteCount) are rows "
        + "of table '\(largest.table)': a message holds at most \(byteCount) bytes. Start more "
        + "servers, so that each holds fewer rows.")
  }
}
