import Foundation
import TestSupport
import Testing

/// A lack of descriptors during a run, which unknown peers can cause and which passes.
@Suite(.serialized) struct DescriptorTests {
  /// Changes the limit of a running process.
  private func limit(_ process: Int32, to count: Int) throws {
    let command = Process()
    command.executableURL = URL(fileURLWithPath: "/usr/bin/prlimit")
    // Only the soft limit, because only root can raise the hard one again.
    command.arguments = ["--pid", "\(process)", "--nofile=\(count):"]
    try ProcessStart.run(command)
    command.waitUntilExit()
    #expect(command.terminationStatus == 0)
  }

  @Test("a lack of descriptors for the best model or a checkpoint ends no run and changes no bit")
  func shortage() throws {
    let long = try LongRun()
    let run = try long.start("run", ["--servers", "1", "--workers", "1"])
    try long.wait(for: 1, of: "run", while: run)
    let roles = try ["coordinator", "server-0"].map { try #require(run.child($0)) }
    for role in roles { try limit(role, to: 3) }
    // Whichever is due first: training waits for a best model, and continues without a checkpoint.
    try Wait.until("a warning names a file that was not written") {
      let log = String(decoding: try long.folder.bytes("run/logs/server-0.log"), as: UTF8.self)
      return log.contains("was not written: ") || !run.isRunning
        || run.errors.contains("the best model is not saved yet; retrying")
    }
    #expect(run.isRunning)
    for role in roles { try limit(role, to: 1024) }
    #expect(try run.wait() == 0, "\(run.errors)")
    #expect(try long.result("run") == long.undisturbed())
  }
}
