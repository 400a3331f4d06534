/// Something that says how many items there are: a feature file, by its rows.
struct ItemExtent {
  let source: String
  let rows: Int

  /// The number of items: that of the feature rows if there are features, else largest item id + 1.
  ///
  /// More rows than the interactions need are items that nobody has interacted with yet. (In all
  /// published data sets that we have seen, both numbers agree.)
  ///
  /// - Throws: ``DatasetError`` if the extents differ, do not cover the interactions, or if there
  ///   are none and the item ids have gaps.
  static func itemCount(
    of interactions: Interactions, covering extents: [ItemExtent], log: inout ProblemLog
  ) throws(DatasetError) -> Int {
    let row = InteractionChecks.rowOfLargest(interactions.items)
    let needed = Int(interactions.items[row]) + 1
    guard let first = extents.first else {
      try InteractionChecks.checkItemsAreDense(interactions, log: &log)
      return needed
    }
    for extent in extents.dropFirst() where extent.rows != first.rows {
      try log.report(
        DatasetError(
          .inconsistent, path: extent.source,
          "has \(extent.rows) rows, but \(first.source) has \(first.rows): every modality has one "
            + "row per item, and row numbers are item ids; export both for the same items"))
    }
    for extent in extents where extent.rows < needed {
      let place = interactions.line(of: row).map { "line \($0)" } ?? "row \(row)"
      try log.report(
        DatasetError(
          .inconsistent, path: extent.source,
          "has \(extent.rows) rows, but item ids run to \(needed - 1) (\(interactions.source), "
            + "\(place)), which needs \(needed) rows (row numbers are item ids); export them "
            + "again after renumbering the items"))
    }
    return first.rows
  }
}
