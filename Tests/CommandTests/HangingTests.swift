import Foundation
import TestSupport
import Testing

/// Processes that hang, and two coordinators of one run.
@Suite(.serialized) struct HangingTests {
  @Test(
    "a process that hangs for ever is killed and replaced; the run ends in the same bits",
    arguments: ["server-1", "coordinator", "worker-0"])
  func hangsForEver(name: String) throws {
    let long = try LongRun()
    // The run does not continue without the worker before it is detected to hang.
    let train = try long.start(
      "run",
      ["--workers", "2", "--servers", "2"]
        + ["hang_timeout_ms=4000", "node_timeout_ms=60000"].flatMap { ["--set", $0] })
    try long.wait(for: 20, of: "run", while: train)
    let victim = try #require(train.child(name))
    kill(victim, SIGSTOP)
    defer { kill(victim, SIGKILL) }
    #expect(try train.wait() == 0, "\(train.errors)")
    let found = try #require(
      train.errors.firstMatch(of: /(\S+) hangs: no life sign for (\d) s; killing it/),
      "\(train.errors)")
    #expect(found.1 == name, "\(found.0)")
    #expect(train.errors.contains("\(name) was killed by signal 9 (KILL); restarting it"))
    #expect(try long.result("run") == long.undisturbed())
  }

  @Test(
    "a coordinator does not count as hanging while the best model's disk stalls",
    .enabled(if: StalledDisk.isPossible, "needs Linux and root"))
  func stalledModel() throws {
    let long = try LongRun()
    let train = try long.start("run", ["--set", "hang_timeout_ms=3000"])
    try Wait.until("the coordinator is there") { train.child("coordinator") != nil }
    let coordinator = try #require(train.child("coordinator"))
    try Wait.until("its directory is there") {
      FileManager.default.fileExists(atPath: long.path("run"))
    }
    let disk = try StalledDisk(run: long.path("run"), writer: coordinator)
    try Wait.until("a model is to be the best") { disk.isAwaited }
    Thread.sleep(forTimeInterval: 7)
    #expect(train.isRunning && train.child("coordinator") == coordinator, "\(train.errors)")
    #expect(!train.errors.contains("hangs"), "\(train.errors)")
    disk.refuse()
    #expect(try train.wait() == 74)
    #expect(train.errors.contains("best.json"), "\(train.errors)")
  }

  @Test("time in which the launcher was stopped does not count as hanging of its processes")
  func launcherStopped() throws {
    let long = try LongRun()
    let train = try long.start("run", ["--set", "hang_timeout_ms=3000"])
    try long.wait(for: 10, of: "run", while: train)
    kill(train.processID, SIGSTOP)
    Thread.sleep(forTimeInterval: 6)
    kill(train.processID, SIGCONT)
    #expect(try train.wait() == 0, "\(train.errors)")
    #expect(!train.errors.contains("hangs"), "\(train.errors)")
    #expect(try long.result("run") == long.undisturbed())
  }

  @Test("a superseded coordinator records nothing and exits with 69")
  func superseded() throws {
    let long = try LongRun()
    let train = try long.start("run")
    try long.wait(for: 20, of: "run", while: train)
    let first = try #require(train.child("coordinator"))
    let second = try takeOver(long, from: first)
    let before = long.epochCount("run")
    kill(first, SIGCONT)
    #expect(try train.wait() == 69, "\(train.errors)")
    #expect(train.errors.contains("another coordinator leads the run now"), "\(train.errors)")
    #expect(second.isRunning)
    #expect(long.epochCount("run") <= before + 1)
    second.terminate()
    _ = try second.wait()
    #expect(try long.complete("run") == long.undisturbed())
  }

  /// Stops a coordinator and starts another on its directory, which has taken over on return.
  private func takeOver(_ long: LongRun, from first: Int32) throws -> RunningCommand {
    for _ in 0..<40 {
      kill(first, SIGSTOP)
      let identity = try records(of: long)
      // The launcher prevents two coordinators of one directory, so the test starts the second one.
      let second = try RunningCommand(
        long.folder,
        [
          "coordinator", "--prepared", "--run", long.path("run"), "--listen",
          "ipc://\(long.folder.path)/second.sock",
        ])
      // It writes them again when it has begun its term.
      try Wait.until("the second one leads") {
        try records(of: long) != identity || !second.isRunning
      }
      if second.isRunning { return second }
      // The first one was stopped while it wrote a record, and keeps the lock.
      #expect(second.errors.contains("another process seems to use it"), "\(second.errors)")
      kill(first, SIGCONT)
      Thread.sleep(forTimeInterval: 0.05)
    }
    throw CocoaError(.fileLocking)
  }

  /// Changes when the metrics file was written again.
  private func records(of long: LongRun) throws -> Int {
    let path = "\(long.path("run"))/metrics.jsonl"
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    return try #require(attributes[.systemFileNumber] as? Int)
  }

  @Test("an additional worker joins a running cluster, and changes no bit")
  func oneMore() throws {
    let long = try LongRun()
    let address = "ipc://\(long.folder.path)/c.sock"
    let coordinator = try RunningCommand(
      long.folder,
      ["coordinator", "--listen", address, "--workers", "1", "--servers", "1"]
        + long.settings("run"))
    let node = ["--coordinator", address]
    let server = try RunningCommand(long.folder, ["server"] + node)
    let first = try RunningCommand(long.folder, ["worker", "--name", "first"] + node)
    try long.wait(for: 3, of: "run", while: coordinator)
    let second = try RunningCommand(long.folder, ["worker", "--name", "second"] + node)
    try Wait.until("it joins") { coordinator.errors.contains("worker 1 joined") }
    #expect(long.epochCount("run") < LongRun.epochs)
    for process in [coordinator, server, first, second] {
      #expect(try process.wait() == 0, "\(process.errors)")
    }
    #expect(second.errors.contains("worker 1 of run"), "\(second.errors)")
    #expect(try long.result("run") == long.undisturbed())
  }
}
