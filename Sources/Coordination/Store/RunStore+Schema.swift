import GRDB

extension RunStore {
  /// The statements that lead from one schema version to the next; the version of a file is how
  /// many of them it has been through (`PRAGMA user_version`). Append only.
  static let migrations: [String] = [
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
    """
  ]

  /// Marks a SQLite file as ours: "mrdb" in ASCII.
  static let applicationID: Int64 = 0x6d72_6462

  static func migrate(_ database: Database, path: String) throws {
    let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
    let application = try Int64.fetchOne(database, sql: "PRAGMA application_id") ?? 0
    let tables = try Int.fetchOne(database, sql: "SELECT COUNT(*) FROM sqlite_master") ?? 0
    guard application == applicationID || (application == 0 && tables == 0) else {
      throw CoordinationError(
        code: .storeUnusable,
        message: "Cannot use '\(path)' as the run's state: it is a SQLite file of another program; "
          + "choose another run directory.")
    }
    guard version <= migrations.count else {
      throw CoordinationError(
        code: .storeTooNew,
        message: "Cannot open the run's state '\(path)': its schema version is \(version), this "
          + "program knows versions up to \(migrations.count); use the newer program that wrote "
          + "it, or another run directory.")
    }
    guard version < migrations.count else { return }
    for statements in migrations[version...] { try database.execute(sql: statements) }
    try database.execute(sql: "PRAGMA application_id = \(applicationID)")
    try database.execute(sql: "PRAGMA user_version = \(migrations.count)")
  }
}
