import GRDB

/// The durable state of a run: one SQLite file, `run.sqlite`, of the coordinator.
///
/// Every transition is one transaction, synchronised to disk before ``record(_:)`` returns, so
/// that after a crash at any moment the file holds the state after some transition. The journal is
/// a write-ahead log: files `run.sqlite-wal` and `-shm` stand beside it while the store is open.
///
/// All methods block for the time of a disk synchronisation (milliseconds, a few times per epoch)
/// and may be called from any thread; the network thread should leave them to another one where
/// disks are slow.
public final class RunStore: Sendable {
  public let path: String
  let queue: DatabaseQueue

  /// Opens the store at `path`, making it if there is none, and brings it to the current schema.
  ///
  /// - Throws: ``CoordinationError`` if the file cannot be used, is not ours, or was written by a
  ///   newer program.
  public init(path: String) throws {
    self.path = path
    queue = try Self.schema.open(path, label: "run store")
  }

  /// Writes down a run that begins.
  ///
  /// - Throws: ``CoordinationError`` if the store already holds a run.
  public func begin(_ identity: RunIdentity, standing: RunStanding) throws {
    try write("begin the run in") { [path] database in
      if let found = try String.fetchOne(database, sql: "SELECT id FROM run") {
        throw CoordinationError(
          code: .wrongRun,
          message:
            "Cannot begin run '\(identity.id)' in '\(path)': it holds run '\(found)'; choose "
            + "another run directory.")
      }
      try database.execute(
        sql: "INSERT INTO run VALUES (1, ?, ?, ?, ?)",
        arguments: [
          identity.id, identity.created, identity.configuration,
          try JSONColumn.encode(identity.digests),
        ])
      try Self.store(standing, message: "", in: database)
    }
  }

  /// Writes down a transition, in one transaction. Writing the same transition again changes
  /// nothing.
  public func record(_ record: RunRecord) throws {
    try write("record the run's state in") { [path] database in
      guard try String.fetchOne(database, sql: "SELECT id FROM run") != nil else {
        throw CoordinationError(
          code: .wrongRun,
          message: "Cannot record in '\(path)': no run was begun in it; begin the run first.")
      }
      var message = ""
      switch record.change {
      case .epochFinished(let summary): try Self.store(summary, in: database)
      case .evaluated(let summary): try Self.store(summary, in: database)
      case .ended(let text): message = text
      case .clusterFormed, .bestSaved: break
      }
      try Self.store(record.standing, message: message, in: database)
    }
  }

  /// Closes the file; the store cannot be used afterwards. Without it nothing is lost.
  public func close() throws {
    try StoreSchema.translatingErrors("close", path) { try queue.close() }
  }

  private func write(_ purpose: String, _ body: (Database) throws -> Void) throws {
    try StoreSchema.translatingErrors(purpose, path) { try queue.write(body) }
  }
}
