/// New dense ids for those that are kept: 0, 1, 2, … in the order of the old ones.
package struct Renumbering: Sendable, Equatable {
  /// The old ids that are kept, ascending: entry n has the new id n.
  package let kept: [Int32]
  /// How many old ids there are.
  package let oldCount: Int
  private let newIDs: [Int32]

  /// - Parameter isKept: for each old id, whether it is kept.
  package init(keeping isKept: [Bool]) {
    var kept: [Int32] = []
    var newIDs = [Int32](repeating: -1, count: isKept.count)
    for id in isKept.indices where isKept[id] {
      newIDs[id] = Int32(truncatingIfNeeded: kept.count)
      kept.append(Int32(truncatingIfNeeded: id))
    }
    self.kept = kept
    self.newIDs = newIDs
    oldCount = isKept.count
  }

  /// The number of new ids.
  package var count: Int { kept.count }

  /// Whether every id stays what it is.
  package var isIdentity: Bool { kept.count == oldCount }

  /// The new id of an old one.
  ///
  /// - Precondition: the old id is kept.
  package subscript(old: Int32) -> Int32 {
    let new = newIDs[Int(old)]
    precondition(new >= 0, "id \(old) is not kept")
    return new
  }
}
