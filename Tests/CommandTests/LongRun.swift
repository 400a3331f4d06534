import Foundation
import TestSupport
import Testing

/// A run of many short epochs, in which there is time to disturb it.
struct LongRun {
  static let epochs = 100

  let folder: TemporaryFolder
  let data: String

  init() throws {
    folder = try TemporaryFolder()
    data = try folder.generateData()
  }

  func path(_ name: String) -> String { "\(folder.path)/\(name)" }

  /// What the roles that know the data are told, beside where to run.
  func settings(_ name: String) -> [String] {
    [
      "--data", data, "--run", path(name), "--epochs", "\(Self.epochs)", "--shards", "3",
    ]
      + [
        "stopping_step=\(Self.epochs)", "train_batch_size=512", "heartbeat_interval_ms=100",
        "node_timeout_ms=2000",
      ].flatMap { ["--set", $0] }
  }

  func start(_ name: String, _ options: [String] = []) throws -> RunningCommand {
    try RunningCommand(folder, ["train"] + settings(name) + options)
  }

  /// How many epochs stand in the run's records for people.
  func epochCount(_ name: String) -> Int {
    let file = FileManager.default.contents(atPath: "\(path(name))/metrics.jsonl") ?? Data()
    return file.count { $0 == UInt8(ascii: "\n") }
  }

  /// Waits until the run has come some epochs further.
  func wait(
    for count: Int, of name: String, while running: RunningCommand,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let goal = epochCount(name) + count
    try Wait.until("\(count) epochs of \(name)", sourceLocation) {
      epochCount(name) >= goal || !running.isRunning
    }
    #expect(
      running.isRunning, "\(name) ended too soon: \(running.errors)",
      sourceLocation: sourceLocation)
  }

  /// Starts the run, or goes on with it, until it is complete.
  func complete(
    _ name: String, _ options: [String] = [], sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> [Data] {
    let running = try start(name, options)
    #expect(
      try running.wait(sourceLocation: sourceLocation) == 0, "\(name): \(running.errors)",
      sourceLocation: sourceLocation)
    return try result(name)
  }

  /// What nothing disturbs, in one process. Generated data is the same everywhere: one run does for
  /// all tests.
  func undisturbed() throws -> [Data] { try Self.reference.get() }

  private static let reference = Result {
    try LongRun().complete("alone", ["--single-process", "--quiet"])
  }

  /// What a run ended in: the vectors and parameters of the best epoch, and what was measured in
  /// every epoch.
  func result(_ name: String) throws -> [Data] {
    let measured = try String(decoding: folder.bytes("\(name)/metrics.jsonl"), as: UTF8.self)
      .split(separator: "\n").map { line in
        var object = try #require(
          try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        object["seconds"] = nil
        return try JSONSerialization.data(withJSONObject: object, options: .sortedKeys)
      }
    #expect(measured.count == Self.epochs)
    return try folder.exportedBytes(name) + measured
  }
}
