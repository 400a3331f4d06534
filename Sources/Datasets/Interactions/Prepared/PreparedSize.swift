/// Bytes of a file of prepared interactions, before it is written.
package enum PreparedSize {
  /// - Parameters:
  ///   - train: training interactions.
  ///   - heldOut: of validation and test together.
  package static func byteCount(users: Int, train: Int, heldOut: Int) -> Int {
    var counts = PreparedCounts()
    counts.users = users
    counts.interactions = [train, heldOut - heldOut / 2, heldOut / 2]
    return PreparedLayout(counts).digest.upperBound
  }
}
