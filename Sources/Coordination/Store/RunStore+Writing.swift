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

  static func store(_ standing: RunStanding, message: String, in database: Database) throws {
    try database.execute(
      sql: "INSERT OR REPLACE INTO state VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      arguments: [
        standing.status.rawValue, message, try integer(standing.generation),
        standing.epochsFinished, try integer(standing.version), standing.best?.epoch,
        try standing.best.map { try integer($0.version) }, standing.best?.value,
        standing.isBestSaved, standing.nonImprovingCount, try integer(standing.term),
        standing.serverCount,
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
