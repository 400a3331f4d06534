import GRDB

/// The durable state of a run: one SQLite file, `run.sqlite`, of the coordinator.
///
/// Every transition is one transaction, synchronised to disk before ``record(_:)`` returns, so
/// that after a crash at any moment the file holds the state after some transition. The journal is
/// a write-ahead log: files `run.sqlite-wal` and `-shm` accompany it while the store is open.
///
/// All methods block for the time of a disk synchronisation (milliseconds, a few times per epoch)
/// and may be called from any thread; the network thread should leave them to another one where
/// disks are slow.
package final class RunStore: Sendable {
  package let path: String
  let queue: DatabaseQueue

  /// Opens the store at `path`, making it if there is none, and brings it to the current schema.
  ///
  /// - Throws: ``CoordinationError`` if the file cannot be used, is not ours, or was written by a
  ///   newer program.
  package init(path: String) throws {
    self.path = path
    queue = try Self.schema.open(path, label: "run store")
  }

  /// - Throws: ``CoordinationError`` if the path is too long for a store. Nothing is made.
  package static func checkLength(of path: String) throws {
    try StoreSchema.checkLength(of: path)
  }

  /// Records a run that begins.
  ///
  /// - Parameter data: what it is trained on.
  /// - Throws: ``CoordinationError`` if the store already holds a run.
  package func begin(
    _ identity: RunIdentity, progress: RunProgress, data: DataDelivery? = nil
  ) throws {
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
      if let data { try Self.store(data, manifest: "", in: database) }
      try Self.store(progress, message: "", in: database)
    }
  }

  /// Begins the term of a coordinator that is started again. It is durable when this returns, so
  /// that no two starts have the same term, and records of earlier starts are refused from now on.
  ///
  /// - Throws: ``CoordinationError`` if no run was begun in the store.
  package func raiseTerm() throws -> UInt64 {
    try write("begin a new term in") { [path] database in
      try database.execute(sql: "UPDATE state SET term = term + 1")
      guard let term = try Int64.fetchOne(database, sql: "SELECT term FROM state") else {
        throw CoordinationError(
          code: .wrongRun,
          message: "Cannot continue the run in '\(path)': no run was begun in it.")
      }
      return UInt64(clamping: term)
    }
  }

  /// Records a transition, in one transaction. Recording the same transition again changes nothing.
  ///
  /// - Throws: ``CoordinationError`` with the code `superseded` if a later start of the coordinator
  ///   has begun its term.
  package func record(_ record: RunRecord) throws {
    try write("record the run's state in") { [path] database in
      guard let term = try Int64.fetchOne(database, sql: "SELECT term FROM state") else {
        throw CoordinationError(
          code: .wrongRun,
          message: "Cannot record in '\(path)': no run was begun in it; begin the run first.")
      }
      guard term <= record.progress.term else {
        throw CoordinationError(
          code: .superseded,
          message: "Cannot record in '\(path)': another coordinator leads the run now, in term "
            + "\(term); this one, of term \(record.progress.term), must exit.")
      }
      var message = ""
      switch record.change {
      case .epochFinished(let summary): try Self.store(summary, in: database)
      case .evaluated(let summary): try Self.store(summary, in: database)
      case .ended(let text): message = text
      case .checkpointCommitted(let checkpoint): try Self.store(checkpoint, in: database)
      case .clusterFormed, .generationRaised, .bestSaved: break
      }
      try Self.store(record.progress, message: message, in: database)
    }
  }

  /// Kernels that a run can have at most: others are not recorded.
  private static let mostKernels = 16

  /// Records the kernels with which a part of the run is computed: they decide its bits.
  ///
  /// - Returns: those that were recorded before, without this one.
  package func recordKernels(_ name: String) throws -> [String] {
    try write("record the run's kernels in") { database in
      let before = try String.fetchAll(database, sql: "SELECT name FROM kernels ORDER BY rowid")
      if !before.contains(name), before.count < Self.mostKernels {
        try database.execute(sql: "INSERT INTO kernels VALUES (?)", arguments: [name])
      }
      return before.filter { $0 != name }
    }
  }

  /// Writes a copy of the file, with the state after some transition, to `path`, where no file may
  /// be. It is not synchronised to disk.
  ///
  /// - Returns: what the copy holds; nil if no run was begun.
  package func copy(to path: String) throws -> StoredRun? {
    try StoreSchema.translatingErrors("copy the run's state to '\(path)' from", self.path) {
      try queue.writeWithoutTransaction { database in
        try database.execute(sql: "VACUUM INTO ?", arguments: [path])
        // Nothing is written in between: this queue is the only one that writes.
        return try load(from: database)
      }
    }
  }

  /// Makes a copy the records of a coordinator that follows one whose disk was lost.
  ///
  /// - Parameters:
  ///   - term: at least the highest that any node has followed.
  ///   - generation: higher than that of any tables and checkpoints.
  package func succeed(term: UInt64, generation: UInt64) throws {
    try write("succeed the lost coordinator in") { database in
      try database.execute(
        sql: "UPDATE state SET term = max(term, ?), generation = max(generation, ?)",
        arguments: [Int64(clamping: term), Int64(clamping: generation)])
    }
  }

  /// Closes the file; the store cannot be used afterwards. Without it nothing is lost.
  package func close() throws {
    try StoreSchema.translatingErrors("close", path) { try queue.close() }
  }

  func write<Result>(
    _ purpose: String, _ body: (Database) throws -> Result
  ) throws -> Result {
    try StoreSchema.translatingErrors(purpose, path) { try queue.write(body) }
  }
}

extension RunStore {
  static let schema = StoreSchema(
    content: "the run's state", applicationID: 0x6d72_6462, migrations: migrations)

  private static let migrations: [String] = [
    """
    CREATE TABLE run (
      only INTEGER PRIMARY KEY CHECK (only = 1),
      id TEXT NOT NULL,
      created TEXT NOT NULL,
      configuration TEXT NOT NULL,
      digests TEXT NOT NULL
    );
    CREATE TABLE epochs (
      epoch INTEGER PRIMARY KEY,
      version INTEGER NOT NULL,
      "values" TEXT NOT NULL,
      seconds REAL NOT NULL
    );
    CREATE TABLE evaluations (
      epoch INTEGER PRIMARY KEY,
      version INTEGER NOT NULL,
      metrics TEXT NOT NULL,
      users TEXT NOT NULL,
      materialize_seconds REAL NOT NULL,
      rank_seconds REAL NOT NULL
    );
    CREATE TABLE state (
      only INTEGER PRIMARY KEY CHECK (only = 1),
      status TEXT NOT NULL,
      message TEXT NOT NULL,
      generation INTEGER NOT NULL,
      epochs_finished INTEGER NOT NULL,
      version INTEGER NOT NULL,
      best_epoch INTEGER,
      best_version INTEGER,
      best_value REAL,
      is_best_saved INTEGER NOT NULL,
      non_improving_count INTEGER NOT NULL
    );
    """,
    // Recovery: 0 in rows of older releases, which did not record it.
    """
    ALTER TABLE state ADD COLUMN term INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE state ADD COLUMN server_count INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE checkpoints (
      version INTEGER NOT NULL,
      generation INTEGER NOT NULL,
      epoch INTEGER NOT NULL,
      manifest TEXT NOT NULL,
      created TEXT NOT NULL,
      PRIMARY KEY (version, generation)
    );
    """,
    // Of OpenBLAS; empty in files of older releases.
    """
    CREATE TABLE kernels (
      name TEXT PRIMARY KEY
    );
    """,
    // Of data; empty in files of older releases.
    """
    CREATE TABLE deliveries (
      epoch INTEGER PRIMARY KEY,
      description TEXT NOT NULL,
      manifest TEXT NOT NULL
    );
    """,
  ]
}
