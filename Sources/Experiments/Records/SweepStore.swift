import Coordinator
import GRDB

/// The durable record of a sweep: one SQLite file, `sweep.sqlite`, one row per run.
///
/// Every change of a run is one transaction. May be used from any thread.
package final class SweepStore: Sendable {
  package let path: String
  private let queue: DatabaseQueue

  static let schema = StoreSchema(
    content: "the sweep's record", applicationID: 0x6d72_7377,
    migrations: [
      """
      CREATE TABLE runs (
        configuration_digest TEXT NOT NULL,
        data_digest TEXT NOT NULL,
        repetition_digest TEXT NOT NULL,
        coordinates TEXT NOT NULL,
        seed INTEGER NOT NULL,
        selection_metric TEXT NOT NULL,
        folder TEXT NOT NULL,
        state TEXT NOT NULL,
        message TEXT NOT NULL,
        model TEXT,
        dataset TEXT,
        best_epoch INTEGER,
        epochs_run INTEGER,
        parameter_count INTEGER,
        valid TEXT,
        test TEXT,
        seconds TEXT,
        PRIMARY KEY (configuration_digest, data_digest)
      );
      """
    ])

  /// Opens the store at `path`, creating it if there is none.
  ///
  /// - Throws: `CoordinationError` if the file cannot be used, is not ours, or was written by a
  ///   newer program.
  package init(path: String) throws {
    self.path = path
    queue = try Self.schema.open(path, label: "sweep store")
  }

  /// Records the state and result of a run, in one transaction; replaces its earlier record.
  ///
  /// - Throws: `CoordinationError` if it cannot be written.
  package func record(_ run: SweepRun) throws {
    try StoreSchema.translatingErrors("record a run in", path) {
      try queue.write { database in
        // An upsert keeps the row's position: runs stay in the order in which they were planned.
        try Self.insert(
          run,
          onConflict: """
            UPDATE SET coordinates = excluded.coordinates,
              selection_metric = excluded.selection_metric, folder = excluded.folder,
              state = excluded.state, message = excluded.message, model = excluded.model,
              dataset = excluded.dataset, best_epoch = excluded.best_epoch,
              epochs_run = excluded.epochs_run, parameter_count = excluded.parameter_count,
              valid = excluded.valid, test = excluded.test, seconds = excluded.seconds
            """, in: database)
      }
    }
  }

  /// Records planned runs, in one transaction; records that exist are not changed. Otherwise
  /// settings whose other seeds are still to come would seem complete.
  ///
  /// - Throws: `CoordinationError` if they cannot be written.
  package func plan(_ runs: [SweepRun]) throws {
    try StoreSchema.translatingErrors("record the planned runs in", path) {
      try queue.write { database in
        for run in runs { try Self.insert(run, onConflict: "NOTHING", in: database) }
      }
    }
  }

  private static func insert(
    _ run: SweepRun, onConflict action: String, in database: Database
  ) throws {
    try database.execute(
      sql: """
        INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT DO \(action)
        """,
      arguments: [
        run.identity.configurationDigest, run.identity.dataDigest, run.repetitionDigest,
        try JSONColumn.encode(run.coordinates), run.seed, run.selectionMetric, run.folder,
        run.state.rawValue, run.message, run.result?.model, run.result?.dataset,
        run.result?.bestEpoch, run.result?.epochsRun, run.result?.parameterCount,
        try run.result.map { try JSONColumn.encode($0.valid) },
        try run.result.map { try JSONColumn.encode($0.test) },
        try run.result.map { try JSONColumn.encode($0.seconds) },
      ])
  }

  /// All runs, in the order in which they were planned first.
  ///
  /// - Throws: `CoordinationError` if the file cannot be read or its content is invalid.
  package func runs() throws -> [SweepRun] {
    try StoreSchema.translatingErrors("read", path) {
      try queue.read { database in
        try Row.fetchAll(database, sql: "SELECT * FROM runs ORDER BY rowid").map(run)
      }
    }
  }

  /// Closes the file; the store cannot be used afterwards. A store that is not closed loses
  /// nothing.
  package func close() throws {
    try StoreSchema.translatingErrors("close", path) { try queue.close() }
  }

  private func run(_ row: Row) throws -> SweepRun {
    guard let state = SweepRun.State(rawValue: try column("state", of: row)) else {
      throw damage("state")
    }
    return SweepRun(
      identity: .init(
        configurationDigest: try column("configuration_digest", of: row),
        dataDigest: try column("data_digest", of: row)),
      repetitionDigest: try column("repetition_digest", of: row),
      coordinates: try json("coordinates", of: row), seed: try column("seed", of: row),
      selectionMetric: try column("selection_metric", of: row),
      folder: try column("folder", of: row), state: state,
      message: try column("message", of: row), result: try result(row))
  }

  private func result(_ row: Row) throws -> RunResult? {
    guard let model: String = try optional("model", of: row) else { return nil }
    return RunResult(
      model: model, dataset: try column("dataset", of: row),
      bestEpoch: try optional("best_epoch", of: row),
      epochsRun: try column("epochs_run", of: row),
      parameterCount: try column("parameter_count", of: row), valid: try json("valid", of: row),
      test: try json("test", of: row), seconds: try json("seconds", of: row))
  }

  /// The value of a column, checked: the file may be damaged.
  private func column<Value: DatabaseValueConvertible>(
    _ name: String, of row: Row
  ) throws -> Value {
    guard let value: Value = try optional(name, of: row) else { throw damage(name) }
    return value
  }

  private func optional<Value: DatabaseValueConvertible>(
    _ name: String, of row: Row
  ) throws -> Value? {
    guard let stored = row[name] as DatabaseValue?, !stored.isNull else { return nil }
    guard let value = Value.fromDatabaseValue(stored) else { throw damage(name) }
    return value
  }

  private func json<Value: Decodable>(_ name: String, of row: Row) throws -> Value {
    do {
      return try JSONColumn.decode(try column(name, of: row))
    } catch is DecodingError {
      throw damage(name)
    }
  }

  private func damage(_ column: String) -> CoordinationError {
    CoordinationError(
      code: .storeUnusable,
      message: "Cannot read the sweep's record '\(path)': column '\(column)' has an invalid value, "
        + "so the file is damaged; restore it from a copy, or choose another folder.")
  }
}
