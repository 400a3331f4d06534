import Foundation
import TestSupport
import Testing

/// Yesterday's run that continues on today's data: `train --resume` after the data has grown.
@Suite("train --resume with grown data", .serialized)
struct GrownDataTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func arguments(_ run: String, _ data: String, epochs: Int) -> [String] {
    [
      "train", "--data", data, "--model", "vbpr", "--epochs", "\(epochs)", "--run",
      folder.path(run), "--shards", "3", "--set", "embedding_size=8", "--set",
      "train_batch_size=128", "--set", "adam_mode=closed", "--set", "moment_precision=bfloat16",
      "--set", "stopping_step=1000",
    ]
  }

  private func train(
    _ run: String, _ data: String, epochs: Int, _ options: [String] = ["--single-process"]
  ) throws -> Command {
    try Command(arguments: arguments(run, data, epochs: epochs) + options)
  }

  /// A run that is stopped after some epochs on the data before it grew. A stop writes a checkpoint,
  /// which the end of a run does not wait for.
  ///
  /// - Returns: how many epochs it has finished.
  private func yesterday(_ data: String) throws -> Int {
    let running = try RunningCommand(
      folder, arguments("yesterday", data, epochs: 100_000) + ["--single-process"])
    try Wait.until("three epochs") { epochs("yesterday") >= 3 || !running.isRunning }
    running.interrupt()
    #expect(try running.wait() == 130, "\(running.errors)")
    return epochs("yesterday")
  }

  /// The number of epochs in metrics.jsonl.
  private func epochs(_ run: String) -> Int {
    let metrics = FileManager.default.contents(atPath: folder.path("\(run)/metrics.jsonl"))
    return (metrics ?? Data()).count { $0 == UInt8(ascii: "\n") }
  }

  private func copy(of run: String = "yesterday", as name: String) throws {
    try FileManager.default.copyItem(atPath: folder.path(run), toPath: folder.path(name))
  }

  /// The metrics of every epoch without its time, and the files of the best model.
  private func result(_ run: String) throws -> [Data] {
    let metrics = try String(decoding: folder.bytes("\(run)/metrics.jsonl"), as: UTF8.self)
      .split(separator: "\n").map { line in
        var object = try #require(
          try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        object["seconds"] = nil
        return try JSONSerialization.data(withJSONObject: object, options: .sortedKeys)
      }
    return try folder.exportedBytes(run) + metrics
  }

  @Test("says what is new, continues in the next epoch, and chooses the best model again")
  func continues() throws {
    _ = try yesterday(folder.writeNumberedData("old", users: 50, items: 40))
    let before = try folder.object("yesterday/summary.json")
    let data = try folder.writeNumberedData("new", users: 60, items: 48)
    let last = epochs("yesterday") + 4
    let today = try train("yesterday", data, epochs: last)
    #expect(today.status == 0, "\(today.errors)")
    #expect(
      today.errors.contains(
        "the data has grown: 10 new users, 8 new items, 60 new training interactions (all earlier"),
      "\(today.errors)")
    #expect(today.errors.contains("is no comparison"), "\(today.errors)")
    let continued = try #require(
      today.errors.firstMatch(of: /the run continues in epoch (\d+) with the rows of 'v/))
    let first = try #require(Int(continued.1))
    #expect(first >= 3 && first < last)
    let summary = try folder.object("yesterday/summary.json")
    #expect(summary["epochs_run"] as? Int == last)
    #expect(summary["run_id"] as? String == before["run_id"] as? String)
    // The tables before the first epoch on the new data are the first that are measured on it.
    #expect(try #require(summary["best_epoch"] as? Int) >= first - 1)
    let deliveries = try #require(summary["data_deliveries"] as? [[String: Any]])
    #expect(deliveries.map { $0["users"] as? Int } == [50, 60])
    #expect(deliveries.map { $0["epoch"] as? Int } == [0, first])
    let earlier = try #require(deliveries[1]["earlier_best"] as? [String: Any])
    #expect(earlier["epoch"] as? Int == before["best_epoch"] as? Int)
    let verified = try Command("checkpoint", "verify", folder.path("yesterday"))
    #expect(verified.status == 0, "\(verified.output)\(verified.errors)")
    let recommended = try Command(
      "recommend", "--run", folder.path("yesterday"), "--user", "user59", "--top", "3")
    #expect(recommended.status == 0, "\(recommended.errors)")
    // The same command finds the finished run, and the earlier data is now another's.
    let again = try train("yesterday", data, epochs: last)
    #expect(again.status == 0 && again.errors.contains("the run is finished"), "\(again.errors)")
    let back = try train("yesterday", folder.path("old"), epochs: last)
    #expect(
      back.status == 78 && back.errors.contains("it had 60 users, and has 50 now"),
      "\(back.errors)")
  }

  @Test("workers, servers and a kill change no bit")
  func cluster() throws {
    let before = try yesterday(folder.writeNumberedData("old", users: 50, items: 40))
    let data = try folder.writeNumberedData("new", users: 60, items: 48)
    let last = before + 20
    for name in ["one", "many", "killed"] { try copy(as: name) }
    let one = try train("one", data, epochs: last)
    let many = try train("many", data, epochs: last, ["--workers", "2", "--servers", "3"])
    #expect(one.status == 0 && many.status == 0, "\(one.errors)\(many.errors)")
    let expected = try result("one")
    #expect(try result("many") == expected)

    let options = ["--workers", "2", "--servers", "2", "--set", "heartbeat_interval_ms=100"]
    let killed = try RunningCommand(folder, arguments("killed", data, epochs: last) + options)
    try Wait.until("an epoch on the new data") {
      epochs("killed") >= before + 2 || !killed.isRunning
    }
    killed.killWithChildren()
    try Wait.until("it is gone") { !killed.isRunning }
    let resumed = try train("killed", data, epochs: last, ["--single-process"])
    #expect(resumed.status == 0, "\(resumed.errors)")
    #expect(!resumed.errors.contains("the data has grown"), "\(resumed.errors)")
    #expect(try result("killed") == expected)
  }

  @Test("where the earlier interactions are gone, numbers and ids are compared")
  func inPlace() throws {
    let data = try folder.writeNumberedData("data", users: 50, items: 40)
    let before = try yesterday(data)
    try FileManager.default.removeItem(atPath: data)
    _ = try folder.writeNumberedData("data", users: 60, items: 48)
    let today = try train("yesterday", data, epochs: before + 1)
    #expect(today.status == 0, "\(today.errors)")
    #expect(
      today.errors.contains("60 new training interactions (by counts and ids"), "\(today.errors)")
  }

  @Test("data that has not only grown, and other settings, are refused with the reason")
  func refused() throws {
    let old = try folder.writeNumberedData("old", users: 50, items: 40)
    let before = try yesterday(old)
    let changed = try folder.writeNumberedData("changed", users: 60, items: 48)
    let file = "changed/changed.inter"
    let text = try String(decoding: folder.bytes(file), as: UTF8.self)
    // A training interaction of user 0 becomes one with another item.
    try folder.write(text.replacingOccurrences(of: "\n0\t5\t0\n", with: "\n0\t41\t0\n"), to: file)
    let new = try folder.writeNumberedData("new", users: 60, items: 48)
    let cases: [(data: String, options: [String], text: String)] = try [
      (changed, [], "1 of its 300 training interactions are gone, the first of user 0 with item 5"),
      (folder.writeNumberedData("fewer", users: 45, items: 40), [], "it had 50 users, and has 45"),
      (
        folder.writeNumberedData("renumbered", users: 60, items: 48, firstID: "someone"), [],
        "are not the users that it was trained for"
      ),
      (new, ["--seed", "8"], "seed was 999 and is 8 now"),
    ]
    for (data, options, text) in cases {
      let found = try train(
        "yesterday", data, epochs: before + 1, ["--single-process"] + options)
      #expect(found.status == 78 && found.errors.contains(text), "\(found.errors)")
    }
    // Nothing was changed by what was refused.
    #expect(epochs("yesterday") == before)
    let accepted = try train("yesterday", new, epochs: before + 1)
    #expect(accepted.status == 0 && accepted.errors.contains("the data has grown"))
  }
}
