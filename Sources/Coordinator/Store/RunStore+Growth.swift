import GRDB

extension RunStore {
  /// Records that the run's data has grown, in one transaction: what was trained and measured from
  /// the delivery's epoch on, and the evaluation before it, no longer count, because they were of
  /// other data.
  ///
  /// - Parameters:
  ///   - delivery: the grown data.
  ///   - identity: the run, with the new data and configuration.
  ///   - progress: without a best epoch.
  ///   - checkpoint: with the manifest's text as its content; it is recorded before its manifest is
  ///     written, so that the run of the earlier data never sees it.
  /// - Throws: ``CoordinationError``.
  package func grow(
    _ delivery: DataDelivery, identity: RunIdentity, progress: RunProgress,
    checkpoint: CommittedCheckpoint
  ) throws {
    try write("record the grown data in") { database in
      try database.execute(
        sql: "UPDATE run SET configuration = ?, digests = ?",
        arguments: [identity.configuration, try JSONColumn.encode(identity.digests)])
      try database.execute(
        sql: "DELETE FROM epochs WHERE epoch >= ?", arguments: [delivery.epoch])
      try database.execute(
        sql: "DELETE FROM evaluations WHERE epoch + 1 >= ?", arguments: [delivery.epoch])
      try Self.store(delivery, manifest: checkpoint.content, in: database)
      try Self.store(checkpoint, in: database)
      try Self.store(progress, message: "", in: database)
    }
  }

  /// The newest delivery's checkpoint by its manifest, with the manifest's text; nil if the run has
  /// its first data.
  package func grownCheckpoint() throws -> (manifest: String, content: String)? {
    try StoreSchema.translatingErrors("read", path) {
      try queue.read { database in
        guard
          let row = try Row.fetchOne(
            database, sql: "SELECT * FROM deliveries WHERE epoch > 0 ORDER BY epoch DESC"),
          let delivery = Optional(try self.delivery(from: row)),
          let manifest = try String.fetchOne(
            database,
            sql: "SELECT manifest FROM checkpoints WHERE version = ? ORDER BY generation DESC",
            arguments: [Int64(clamping: delivery.version)])
        else { return nil }
        return (manifest, try column("manifest", of: row))
      }
    }
  }

  /// - Parameter manifest: the text of its checkpoint's manifest; empty for the first delivery.
  static func store(
    _ delivery: DataDelivery, manifest: String, in database: Database
  ) throws {
    try database.execute(
      sql: "INSERT OR REPLACE INTO deliveries VALUES (?, ?, ?)",
      arguments: [delivery.epoch, try JSONColumn.encode(delivery), manifest])
  }

  func delivery(from row: Row) throws -> DataDelivery { try json("description", of: row) }
}
