import Tables

/// How much of a table a server holds.
package struct TableSize: Sendable, Equatable {
  package let name: String
  package let rows: Int
  /// Weights and optimizer state.
  package let bytes: Int
}

extension ServerState {
  /// In the order of the tables.
  package var tableSizes: [TableSize] {
    tables.map {
      TableSize(
        name: $0.spec.name, rows: $0.rowCount, bytes: $0.rowCount * $0.layout.byteCount)
    }
  }

  /// Pulls that wait for a version.
  package var parkedPullCount: Int { parkedPulls.count }
}
