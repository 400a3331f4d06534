import Foundation
import TestSupport
import Testing

/// Descriptors that run out while a run is under way: strangers can cause it, and it passes.
@Suite(.serialized) struct DescriptorTests {
  /// Changes the limit of a process that runs.
  private func limit(_ process: Int32, to count: Int) throws {
    let command = Process()
    command.executableURL = URL(fileURLWithPath: "/usr/bin/prlimit")
    // The soft limit alone: raising the hard one again is for root.
    command.arguments = ["--pid", "\(process)", "--nofile=\(count):"]
    try command.run()
    command.waitUntilExit()
    #expect(command.terminationStatus == 0)
  }

  @Test("a best model and a checkpoint that lack descriptors are tried again, to the same bits")
  func shortage() throws {
    let long = try LongRun()
    let run = try long.start("run", ["--servers", "1", "--workers", "1"])
    try long.wait(for: 1, of: "run", while: run)
    // A checkpoint's files; training goes on without it.
    let server = try #require(run.child("server-0"))
    try limit(server, to: 3)
    try Wait.until("a checkpoint is told of that was not written") {
      String(decoding: try long.folder.bytes("run/logs/server-0.log"), as: UTF8.self)
        .contains("was not written: ") || !run.isRunning
    }
    try limit(server, to: 1024)
    // The best model's files; training waits for them.
    let coordinator = try #require(run.child("coordinator"))
    try limit(coordinator, to: 3)
    try Wait.until("a best model is told of that was not saved") {
      run.errors.contains("the best model is not saved yet, it is tried again") || !run.isRunning
    }
    #expect(run.isRunning)
    try limit(coordinator, to: 1024)
    #expect(try run.wait() == 0, "\(run.errors)")
    #expect(try long.result("run") == long.undisturbed())
  }
}
