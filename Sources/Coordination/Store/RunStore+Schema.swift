import GRDB

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
    // Recovery: 0 stands for what the program before did not know.
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
    // Of OpenBLAS; empty in what the program before recorded.
    """
    CREATE TABLE kernels (
      name TEXT PRIMARY KEY
    );
    """,
  ]
}
