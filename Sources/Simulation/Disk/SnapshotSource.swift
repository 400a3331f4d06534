import ParameterServer
import Protocol

/// A checkpoint that lies in memory: the rows of all servers that wrote it.
struct SnapshotSource: CheckpointSource {
  let snapshots: [ServerSnapshot]

  var version: UInt64 { snapshots.first?.version ?? 0 }

  let optimizer: OptimizerDescription

  var epochSums: [UnitReport] { snapshots.first { $0.rank == 0 }?.epochSums ?? [] }

  func readRows(
    of table: TableShape, where isWanted: (_ row: UInt32) -> Bool,
    _ body: (StoredRows) throws -> Void
  ) throws {
    for snapshot in snapshots {
      guard let rows = snapshot.tables.first(where: { $0.shape == table }) else {
        throw SimulationError(description: "Table '\(table.name)' is not in the checkpoint.")
      }
      var ids: [UInt32] = []
      rows.forEachRow { ids.append($0) }
      let updates = ids.indices.map { rows.lastUpdate(at: $0) }
      let parts = table.layout.parts.enumerated().map { part, columns in
        [Float](unsafeUninitializedCapacity: ids.count * columns.count) { buffer, count in
          if let base = buffer.baseAddress {
            rows.copy(part: part, ofRowsAt: ids.indices, to: base)
          }
          count = ids.count * columns.count
        }
      }
      try Self.withPointers(parts) { pointers in
        try ids.withUnsafeBufferPointer { ids in
          try updates.withUnsafeBufferPointer { updates in
            try body(
              StoredRows(
                ids: ids, parts: pointers,
                lastUpdates: table.layout.tracksUpdates ? updates.baseAddress : nil))
          }
        }
      }
    }
  }

  private static func withPointers(
    _ parts: [[Float]], _ collected: [UnsafePointer<Float>] = [],
    _ body: ([UnsafePointer<Float>]) throws -> Void
  ) throws {
    guard let first = parts.first else { return try body(collected) }
    try first.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      try withPointers(Array(parts.dropFirst()), collected + [base], body)
    }
  }
}
