import GRDB

extension RunStore {
  static func store(_ summary: EpochSummary, in database: Database) throws {
    try database.execute(
      sql: "INSERT OR REPLACE INTO epochs VALUES (?, ?, ?, ?)",
      arguments: [
        summary.epoch, try integer(summary.version), try JSONColumn.encode(summary.values),
        summary.seconds,
      ])
  }

  static func store(_ summary: EvaluationSummary, in database: Database) throws {
    try database.execute(
      sql: "INSERT OR REPLACE INTO evaluations VALUES (?, ?, ?, ?, ?, ?)",
      arguments: [
        summary.epoch, try integer(summary.version), try JSONColumn.encode(summary.metrics),
        try JSONColumn.encode(summary.users), summary.materializeSeconds, summary.rankSeconds,
      ])
  }

  static func store(_ progress: RunProgress, message: String, in database: Database) throws {
    try database.execute(
      sql: "INSERT OR REPLACE INTO state VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      arguments: [
        progress.status.rawValue, message, try integer(progress.generation),
        progress.epochsFinished, try integer(progress.version), progress.best?.epoch,
        try progress.best.map { try integer($0.version) }, progress.best?.value,
        progress.isBestSaved, progress.nonImprovingCount, try integer(progress.term),
        progress.serverCount,
      ])
  }

  static func store(_ checkpoint: CommittedCheckpoint, in database: Database) throws {
    try database.execute(
      sql: "INSERT OR REPLACE INTO checkpoints VALUES (?, ?, ?, ?, ?)",
      arguments: [
        try integer(checkpoint.version), try integer(checkpoint.generation), checkpoint.epoch,
        checkpoint.manifest, checkpoint.created,
      ])
  }

  /// SQLite's integers are signed.
  private static func integer(_ value: UInt64) throws -> Int64 {
    guard let integer = Int64(exactly: value) else {
      throw CoordinationError(
        code: .storeUnusable,
        message: "Cannot record the number \(value): SQLite holds integers up to \(Int64.max).")
    }
    return integer
  }
}

extension RunStore {
  /// Everything that is known of the run, or nil if none was begun.
  ///
  /// - Throws: ``CoordinationError`` if the file cannot be read or what it holds makes no sense.
  package func load() throws -> StoredRun? {
    try StoreSchema.translatingErrors("read", path) {
      try queue.read { try load(from: $0) }
    }
  }

  func load(from database: Database) throws -> StoredRun? {
    guard let run = try Row.fetchOne(database, sql: "SELECT * FROM run"),
      let state = try Row.fetchOne(database, sql: "SELECT * FROM state")
    else { return nil }
    return StoredRun(
      identity: RunIdentity(
        id: try column("id", of: run), created: try column("created", of: run),
        configuration: try column("configuration", of: run),
        digests: try json("digests", of: run)),
      progress: try progress(from: state), message: try column("message", of: state),
      epochs: try Row.fetchAll(database, sql: "SELECT * FROM epochs ORDER BY epoch")
        .map(epoch(from:)),
      evaluations: try Row.fetchAll(database, sql: "SELECT * FROM evaluations ORDER BY epoch")
        .map(evaluation(from:)),
      checkpoints: try Row.fetchAll(
        database, sql: "SELECT * FROM checkpoints ORDER BY version, generation"
      ).map(checkpoint(from:)),
      deliveries: try Row.fetchAll(database, sql: "SELECT * FROM deliveries ORDER BY epoch")
        .map(delivery(from:)))
  }

  private func epoch(from row: Row) throws -> EpochSummary {
    EpochSummary(
      epoch: try column("epoch", of: row), version: try column("version", of: row),
      values: try json("values", of: row), seconds: try column("seconds", of: row))
  }

  private func evaluation(from row: Row) throws -> EvaluationSummary {
    EvaluationSummary(
      epoch: try column("epoch", of: row), version: try column("version", of: row),
      metrics: try json("metrics", of: row), users: try json("users", of: row),
      materializeSeconds: try column("materialize_seconds", of: row),
      rankSeconds: try column("rank_seconds", of: row))
  }

  private func checkpoint(from row: Row) throws -> CommittedCheckpoint {
    CommittedCheckpoint(
      version: try column("version", of: row), generation: try column("generation", of: row),
      epoch: try column("epoch", of: row), manifest: try column("manifest", of: row),
      created: try column("created", of: row))
  }

  private func progress(from row: Row) throws -> RunProgress {
    guard let status = RunStatus(rawValue: try column("status", of: row)) else {
      throw damage("status")
    }
    var best: ModelSelection.Best?
    if row.hasValue("best_epoch") {
      best = ModelSelection.Best(
        epoch: try column("best_epoch", of: row), version: try column("best_version", of: row),
        value: try column("best_value", of: row))
    }
    return RunProgress(
      status: status, generation: try column("generation", of: row),
      epochsFinished: try column("epochs_finished", of: row),
      version: try column("version", of: row), best: best,
      isBestSaved: try column("is_best_saved", of: row),
      nonImprovingCount: try column("non_improving_count", of: row),
      term: try column("term", of: row), serverCount: try column("server_count", of: row))
  }

  /// The value of a column, checked: what comes from a disk may be anything.
  func column<Value: DatabaseValueConvertible>(
    _ name: String, of row: Row
  ) throws -> Value {
    guard let stored = row[name] as DatabaseValue?, let value = Value.fromDatabaseValue(stored)
    else { throw damage(name) }
    return value
  }

  func json<Value: Decodable>(_ name: String, of row: Row) throws -> Value {
    do {
      return try JSONColumn.decode(try column(name, of: row))
    } catch is DecodingError {
      throw damage(name)
    }
  }

  private func damage(_ column: String) -> CoordinationError {
    CoordinationError(
      code: .storeUnusable,
      message:
        "Cannot read the run's state from '\(path)': column '\(column)' holds something that "
        + "no version of this program wrote; restore the file or choose another run directory.")
  }
}

extension Row {
  fileprivate func hasValue(_ name: String) -> Bool {
    guard let stored = self[name] as DatabaseValue? else { return false }
    return !stored.isNull
  }
}
