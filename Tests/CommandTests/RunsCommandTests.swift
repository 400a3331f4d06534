import Foundation
import TestSupport
import Testing

/// `mrdib runs` with real runs.
@Suite(.serialized) struct RunsCommandTests {
  private func show(_ run: String) throws -> [String: Any] {
    let command = try Command("runs", "show", run, "--json")
    #expect(command.status == 0, "\(command.errors)")
    return try #require(
      try JSONSerialization.jsonObject(with: Data(command.output.utf8)) as? [String: Any])
  }

  @Test("a run is listed while it trains, stopped with a checkpoint, dead when killed, resumed")
  func life() throws {
    let long = try LongRun()
    let run = long.path("run")
    let options = ["--workers", "1", "--servers", "1", "--name", "a name", "--label", "team=x"]
    let first = try long.start("run", options)
    try long.wait(for: 2, of: "run", while: first)
    let training = try show(run)
    #expect(training["state"] as? String == "running")
    #expect(training["process"] as? Int == Int(first.processID))
    #expect(training["name"] as? String == "a name")
    #expect((training["labels"] as? [String: String]) == ["team": "x"])
    let list = try Command("runs", "list", long.folder.path, "--label", "team=x")
    #expect(list.output.contains("running") && list.output.contains("a name"))
    #expect(list.output.contains("team=x"))
    #expect(
      try Command("runs", "list", long.folder.path, "--label", "team=y").output
        .contains("no runs in"))

    let stop = try Command("runs", "stop", run)
    #expect(stop.status == 0, "\(stop.errors)")
    #expect(try first.wait() == 143)
    #expect(try show(run)["state"] as? String == "interrupted")
    let again = try Command("runs", "stop", run)
    #expect(again.status == 66)
    #expect(again.errors.contains("no process trains it; its state is interrupted"))

    // As after restoring a backup without logs.
    try FileManager.default.removeItem(atPath: "\(run)/logs")
    let second = try long.start("run", ["--workers", "1", "--servers", "1"])
    try long.wait(for: 1, of: "run", while: second)
    second.killWithChildren()
    _ = try second.wait()
    let dead = try show(run)
    #expect(dead["state"] as? String == "dead")
    #expect(dead["name"] as? String == "a name")
  }

  @Test("a run of another process table is not stopped from here; the message says where")
  func otherMachine() throws {
    let folder = try TemporaryFolder()
    let command = try Command(
      arguments: [
        "train", "--single-process", "--data", try folder.generateData(), "--epochs", "1",
        "--quiet", "--run", folder.path("run"),
      ])
    #expect(command.status == 0, "\(command.errors)")
    // A process that holds the lock and is not the one that the file names.
    let holder = try RunningCommand(
      folder, bash: "exec 9<>\(folder.path("run"))/lock; flock 9; echo 1 >&9; sleep 60; \"$@\"",
      ["--version"])
    try Wait.until("the lock is held") {
      try show(folder.path("run"))["state"] as? String == "running" || !holder.isRunning
    }
    let stop = try Command("runs", "stop", folder.path("run"))
    #expect(stop.status == 69)
    #expect(stop.errors.contains("from here: it was started on"), "\(stop.errors)")
    #expect(holder.isRunning)
    holder.killWithChildren()
  }

  @Test("mistakes are refused in a sentence")
  func mistakes() throws {
    let folder = try TemporaryFolder()
    let missing = try Command("runs", "list", folder.path("missing"))
    #expect(missing.status == 66)
    #expect(missing.errors.contains("Name a folder of runs"))
    #expect(try Command("runs", "show", folder.path).status == 66)
    #expect(try Command("train", "--dry-run", "--label", "team").status == 64)
  }
}
