import Tables

extension TableStore {
  /// The rows of all tables that a server holds.
  ///
  /// - Parameter isInitialized: whether the rows get their initial values, or zeros.
  /// - Throws: ``ParameterServerError``: `configuration` if two tables have the same name, `limit`
  ///   if the rows need more than `byteLimit` bytes; no memory is allocated then.
  static func make(
    _ specs: [TableSpec], rank: Int, map: SlotMap, layout: (TableSpec) -> RowLayout, seed: UInt64,
    isInitialized: Bool, byteLimit: Int
  ) throws(ParameterServerError) -> [TableStore] {
    var names: Set<String> = []
    var byteCount = 0
    var directories: [RowDirectory] = []
    for spec in specs {
      guard names.insert(spec.name).inserted else {
        throw ParameterServerError(
          .configuration, "Two tables are called '\(spec.name)'; names must differ.")
      }
      // Checked before the placement is computed: even if spread evenly, the table would not fit.
      let (whole, wholeOverflow) = layout(spec).byteCount.multipliedReportingOverflow(by: spec.rows)
      guard !wholeOverflow && whole / map.serverCount <= byteLimit else {
        throw ParameterServerError(
          .limit,
          """
          Table '\(spec.name)' has \(spec.rows) rows of \(layout(spec).byteCount) bytes, too many \
          for \(map.serverCount) servers with \(byteLimit) bytes each: use more servers or raise \
          the limit.
          """)
      }
      let directory = RowDirectory(TablePlacement(spec, in: map), rank: rank)
      let bytes = layout(spec).byteCount * directory.count  // no more than `whole`
      guard bytes <= byteLimit - byteCount else {
        throw ParameterServerError(
          .limit,
          """
          Server \(rank) of \(map.serverCount) would need \(bytes) bytes for table \
          '\(spec.name)' after \(byteCount) for the tables before it, but its limit is \
          \(byteLimit): use more servers or raise the limit.
          """)
      }
      byteCount += bytes
      directories.append(directory)
    }
    return zip(specs, directories).map { spec, directory in
      TableStore(
        spec, layout: layout(spec), directory: directory, seed: seed, isInitialized: isInitialized)
    }
  }
}
