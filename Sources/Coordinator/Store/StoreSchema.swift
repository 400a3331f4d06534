import Files
import Foundation
import GRDB

/// The schema of a SQLite file, and how a file of an older release is migrated to it.
package struct StoreSchema: Sendable {
  /// What the file holds, as messages name it: `the run's state`.
  let content: String
  /// Marks a SQLite file as ours; four ASCII letters.
  let applicationID: Int64
  /// The statements that lead from one schema version to the next; the version of a file is how
  /// many of them it has been through (`PRAGMA user_version`). Append only.
  let migrations: [String]

  package init(content: String, applicationID: Int64, migrations: [String]) {
    self.content = content
    self.applicationID = applicationID
    self.migrations = migrations
  }

  /// Opens the file at `path`, making it if there is none, and brings it to the current schema.
  /// The journal is a write-ahead log, and a transaction that has ended outlives a loss of power: a
  /// checkpoint must not be newer on the disk than the records about it.
  ///
  /// - Throws: ``CoordinationError`` if the file cannot be used, is not ours, or was written by a
  ///   newer program.
  package func open(_ path: String, label: String) throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.journalMode = .wal
    configuration.busyMode = .timeout(5)
    configuration.label = label
    try Self.checkLength(of: path)
    for suffix in ["", "-wal", "-shm", "-journal"] { try Self.checkKind(of: path + suffix) }
    // SQLite takes what begins with `file:` for a URI, and would open another file.
    let plainPath = path.hasPrefix("/") ? path : "./\(path)"
    return try Self.translatingErrors("open", path) {
      let queue = try DatabaseQueue(path: plainPath, configuration: configuration)
      // With such a journal GRDB sets NORMAL, which synchronises now and then only. It does so when
      // it opens the file, so that this comes afterwards.
      try queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
      try queue.write { try migrate($0, path: path) }
      return queue
    }
  }

  /// SQLite's own limit (512), less what it puts behind the names of its journals.
  private static let longestPath = 504

  /// - Throws: ``CoordinationError`` if SQLite would not take the path of a file.
  static func checkLength(of path: String) throws {
    let url = URL(fileURLWithPath: path)
    // A file that is not there yet is no link, but the folders on the way to it may be.
    let folder = url.deletingLastPathComponent().resolvingSymlinksInPath().path
    let byteCount = max(url.path.utf8.count, "\(folder)/\(url.lastPathComponent)".utf8.count)
    guard byteCount > longestPath else { return }
    throw CoordinationError(
      code: .pathTooLong,
      message: "Cannot keep records in '\(path.sanitized(atMost: 100))': the absolute path has "
        + "\(byteCount) bytes, and SQLite takes \(longestPath) at most; name a folder with a "
        + "shorter path.")
  }

  private func migrate(_ database: Database, path: String) throws {
    let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
    let application = try Int64.fetchOne(database, sql: "PRAGMA application_id") ?? 0
    let tables = try Int.fetchOne(database, sql: "SELECT COUNT(*) FROM sqlite_master") ?? 0
    guard application == applicationID || (application == 0 && tables == 0) else {
      throw CoordinationError(
        code: .storeUnusable,
        message: "Cannot use '\(path)' as \(content): it is a SQLite file of another program; "
          + "choose another run directory.")
    }
    guard version <= migrations.count else {
      throw CoordinationError(
        code: .storeTooNew,
        message: "Cannot open \(content) '\(path)': its schema version is \(version), this "
          + "program knows versions up to \(migrations.count); use the newer program that wrote "
          + "it, or another run directory.")
    }
    guard version < migrations.count else { return }
    for statements in migrations[version...] { try database.execute(sql: statements) }
    try database.execute(sql: "PRAGMA application_id = \(applicationID)")
    try database.execute(sql: "PRAGMA user_version = \(migrations.count)")
  }

  /// SQLite would block on a named pipe until something writes into it.
  private static func checkKind(of path: String) throws {
    do {
      try PlainFile.check(path)
    } catch {
      throw CoordinationError(
        code: .storeUnusable,
        message: "Cannot open '\(path)': \(error.reason); move it away, or choose another run "
          + "directory.")
    }
  }

  /// Rethrows our own errors, and turns SQLite's into a sentence.
  package static func translatingErrors<Result>(
    _ purpose: String, _ path: String, _ body: () throws -> Result
  ) throws -> Result {
    do {
      return try body()
    } catch let error as DatabaseError {
      throw CoordinationError(
        code: .storeUnusable,
        message:
          "Cannot \(purpose) '\(path)': \(error.message?.sanitized(atMost: 200) ?? "SQLite error") "
          + "(SQLite code \(error.extendedResultCode.rawValue)); "
          + advice(for: error.resultCode, about: path))
    }
  }

  private static func advice(for code: ResultCode, about path: String) -> String {
    switch code {
    case .SQLITE_FULL: "free some space on the disk."
    case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH:
      "make the run directory writable, or choose another one."
    case .SQLITE_CANTOPEN: "check that the run directory exists and is writable."
    case .SQLITE_BUSY, .SQLITE_LOCKED: "another process seems to use it; stop that one first."
    case .SQLITE_NOTADB where contentKind(of: path) != nil:
      "\(contentKind(of: path) ?? ""); move it away, or choose another run directory."
    case .SQLITE_NOTADB, .SQLITE_CORRUPT:
      "the file is damaged; restore it or choose another run directory."
    default: "check the disk that holds it."
    }
  }

  private static func contentKind(of path: String) -> String? {
    let start = try? PlainFile.beginning(of: path, byteCount: ContentKind.byteCount)
    return start.flatMap { ContentKind.sentence($0) }
  }
}

/// Named numbers as they stand in a text column. JSON has no NaN and no infinities; they are
/// written as the strings `nan`, `inf` and `-inf`.
package enum JSONColumn {
  package static func encode(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  package static func decode<Value: Decodable>(_ text: String) throws -> Value {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return try decoder.decode(Value.self, from: Data(text.utf8))
  }
}
