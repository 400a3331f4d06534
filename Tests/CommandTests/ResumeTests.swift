import Foundation
import TestSupport
import Testing

/// Runs that are interrupted and resumed with the same command, as processes.
@Suite(.serialized) struct ResumeTests {
  private func verify(
    _ run: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let verification = try Command("checkpoint", "verify", run)
    #expect(
      verification.status == 0, "\(verification.output)\(verification.errors)",
      sourceLocation: sourceLocation)
  }

  @Test("kill -9 of all processes at once, repeatedly: the same command ends in the same bits")
  func everythingKilled() throws {
    let long = try LongRun()
    let options = ["--workers", "2", "--servers", "2"]
    for _ in 0..<3 {
      let train = try long.start("run", options)
      try long.wait(for: 10, of: "run", while: train)
      let children = train.children.keys
      #expect(children.count == 5)
      train.killWithChildren()
      try Wait.until("everything is gone") {
        !train.isRunning && children.allSatisfy { kill($0, 0) != 0 }
      }
    }
    #expect(try long.complete("run", options) == long.undisturbed())
  }

  @Test("a stopped run resumes with any numbers of workers and servers, and ends in the same bits")
  func otherNumbers() throws {
    let long = try LongRun()
    let numbers = [(2, 1), (1, 3), (3, 2)]
    for (workers, servers) in numbers {
      let train = try long.start(
        "run", ["--workers", "\(workers)", "--servers", "\(servers)"])
      try long.wait(for: 8, of: "run", while: train)
      train.interrupt()
      #expect(try train.wait() == 130, "\(train.errors)")
      let list = try Command("checkpoint", "list", "--json", long.path("run"))
      let object = try #require(
        try JSONSerialization.jsonObject(with: Data(list.output.utf8)) as? [String: Any])
      let newest = try #require((object["checkpoints"] as? [[String: Any]])?.first)
      #expect(newest["servers"] as? Int == servers && newest["state"] as? String == "usable")
      try verify(long.path("run"))
    }
    let last = try long.complete("run", ["--workers", "1", "--servers", "1"])
    #expect(try last == long.undisturbed())
  }

  @Test("other data or settings are refused with what differs, and the run can still be resumed")
  func otherData() throws {
    let long = try LongRun()
    let train = try long.start("run", ["--single-process"])
    try long.wait(for: 10, of: "run", while: train)
    train.interrupt()
    #expect(try train.wait() == 130)
    let other = "\(long.folder.path)/other"
    let made = try Command(
      "data", "generate", "--out", other, "--users", "150", "--items", "90", "--interactions", "12",
      "--seed", "77")
    #expect(made.status == 0, "\(made.errors)")
    // The same shapes, other content: only a digest shows the difference.
    let refused = try Command(
      arguments: ["train"] + long.settings("run") + ["--data", other, "--seed", "8"])
    #expect(refused.status == 78, "\(refused.errors)")
    #expect(refused.errors.contains("the data has changed (digest "), "\(refused.errors)")
    #expect(refused.errors.contains("seed was 999 and is 8 now"), "\(refused.errors)")
    #expect(try long.complete("run") == long.undisturbed())
  }

  @Test(
    "Ctrl-C at any time around the end of an epoch leaves complete checkpoints",
    arguments: [["--single-process"], ["--workers", "2", "--servers", "2"]])
  func endOfEpoch(options: [String]) throws {
    let long = try LongRun()
    for delay in [0, 0.003, 0.006, 0.01, 0.02] {
      let train = try long.start("run", options)
      try long.wait(for: 4, of: "run", while: train)
      Thread.sleep(forTimeInterval: delay)
      train.interrupt()
      #expect(try train.wait() == 130, "\(train.errors)")
      try verify(long.path("run"))
    }
    #expect(try long.complete("run", options) == long.undisturbed())
  }

  @Test("two runs that share a folder of checkpoints are killed, and each resumes from its own")
  func sharedFolder() throws {
    let long = try LongRun()
    let shared = "\(long.folder.path)/shared"
    let names = ["one", "two"]
    let options = ["--servers", "2", "--set", "checkpoint_folder=\(shared)"]
    let runs = try names.map { try long.start($0, options) }
    for (name, run) in zip(names, runs) { try long.wait(for: 20, of: name, while: run) }
    for run in runs { run.killWithChildren() }
    for run in runs { try Wait.until("it is gone") { !run.isRunning } }
    #expect(try FileManager.default.contentsOfDirectory(atPath: shared).count == 2)
    let again = try names.map { try long.start($0, options) }
    for (name, run) in zip(names, again) {
      #expect(try run.wait() == 0, "\(run.errors)")
      #expect(run.errors.contains("resumes in epoch"), "\(run.errors)")
      try verify(long.path(name))
    }
    let alone = try long.undisturbed()
    for name in names { #expect(try long.result(name) == alone) }
  }

  @Test("a crash between the end of a run and its summary: the next start writes the summary")
  func recordsAreCompleted() throws {
    let folder = try TemporaryFolder()
    let arguments = [
      "train", "--single-process", "--data", try folder.generateData(), "--epochs", "3", "--run",
      "\(folder.path)/run",
    ]
    #expect(try Command(arguments: arguments).status == 0)
    let metrics = try folder.bytes("run/metrics.jsonl")
    // A file that was not synchronized before a power loss may contain zeros after it.
    try Data(count: 100).write(to: URL(fileURLWithPath: "\(folder.path)/run/metrics.jsonl"))
    try FileManager.default.removeItem(atPath: "\(folder.path)/run/summary.json")
    let again = try Command(arguments: arguments)
    #expect(again.status == 0 && again.errors.contains("the run is finished"), "\(again.errors)")
    #expect(again.output.contains("best epoch"), "\(again.output)")
    #expect(try folder.bytes("run/metrics.jsonl") == metrics)
    #expect(try folder.object("run/summary.json")["outcome"] as? String == "completed")
  }

  @Test(
    "missing or unreadable checkpoints: the run retries, and never starts without them",
    arguments: [["--single-process"], ["--workers", "2", "--servers", "2"]])
  func checkpointsAway(options: [String]) throws {
    let long = try LongRun()
    let options = options + ["--set", "startup_timeout_ms=6000"]
    let stopped = try long.start("run", options)
    try long.wait(for: 8, of: "run", while: stopped)
    stopped.interrupt()
    #expect(try stopped.wait() == 130, "\(stopped.errors)")
    let place = "\(long.path("run"))/checkpoints"
    let away = "\(long.folder.path)/away"
    try FileManager.default.moveItem(atPath: place, toPath: away)

    let missing = try long.start("run", options)
    #expect(try missing.wait() == 66, "\(missing.errors)")
    #expect(missing.errors.contains("there is no checkpoint in '\(place)'"), "\(missing.errors)")
    #expect(!missing.errors.contains("from the initial values"))

    // A link to itself cannot be read, not even by root.
    try FileManager.default.createSymbolicLink(atPath: place, withDestinationPath: place)
    let unreadable = try long.start("run", options)
    try Wait.until("it looks again") {
      unreadable.errors.contains("retrying") || !unreadable.isRunning
    }
    #expect(unreadable.isRunning, "\(unreadable.errors)")
    try FileManager.default.removeItem(atPath: place)
    try FileManager.default.moveItem(atPath: away, toPath: place)
    #expect(try unreadable.wait() == 0, "\(unreadable.errors)")
    #expect(try long.result("run") == long.undisturbed())
  }

  @Test("a run whose directory had no room left resumes when there is room again")
  func diskWasFull() throws {
    let long = try LongRun()
    // Checkpoints are smaller; the store's log grows until it reaches the limit.
    let command = try Command(
      fileLimit: 800, arguments: ["train", "--single-process", "--quiet"] + long.settings("run"))
    #expect(command.status == 74, "\(command.errors)")
    #expect((1..<LongRun.epochs).contains(long.epochCount("run")))
    #expect(try long.complete("run") == long.undisturbed())
  }
}
