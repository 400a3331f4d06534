import Foundation
import TestSupport
import Testing

/// A run of many short epochs, long enough to be disturbed.
struct LongRun {
  static let epochs = 100

  let folder: TemporaryFolder
  let data: String

  init() throws {
    folder = try TemporaryFolder()
    data = try folder.generateData()
  }

  func path(_ name: String) -> String { "\(folder.path)/\(name)" }

  /// The options of the roles that read the data, without the run directory.
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

  /// The number of epochs in metrics.jsonl.
  func epochCount(_ name: String) -> Int {
    let file = FileManager.default.contents(atPath: "\(path(name))/metrics.jsonl") ?? Data()
    return file.count { $0 == UInt8(ascii: "\n") }
  }

  /// Waits until the run has trained some more epochs.
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

  /// Starts or resumes the run and waits until it is complete.
  func complete(
    _ name: String, _ options: [String] = [], sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> [Data] {
    let running = try start(name, options)
    #expect(
      try running.wait(sourceLocation: sourceLocation) == 0, "\(name): \(running.errors)",
      sourceLocation: sourceLocation)
    return try result(name)
  }

  /// The undisturbed run, in one process. Generated data is always the same, so one run serves
  /// all tests.
  func undisturbed() throws -> [Data] { try Self.reference.get() }

  private static let reference = Result {
    try LongRun().complete("alone", ["--single-process", "--quiet"])
  }

  /// The result of a run: the vectors and parameters of the best epoch, and the metrics of
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
