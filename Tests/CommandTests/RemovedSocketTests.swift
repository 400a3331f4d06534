import Foundation
import TestSupport
import Testing

/// The folder of the socket at which the processes of `train` find each other.
@Suite(.serialized) struct RemovedSocketTests {
  private let files = FileManager.default

  /// Of a running cluster.
  private func socket(of train: RunningCommand) throws -> String {
    let arguments = try #require(
      train.children.values.first { $0.dropFirst().first == "coordinator" })
    let address = try #require(arguments.first { $0.hasPrefix("ipc://") })
    return String(address.dropFirst("ipc://".count))
  }

  private func folder(of socket: String) -> String {
    URL(fileURLWithPath: socket).deletingLastPathComponent().path
  }

  @Test("a socket folder that was deleted is created again: restarted processes connect")
  func removed() throws {
    let long = try LongRun()
    let train = try long.start("run", ["--workers", "2", "--servers", "2"])
    try long.wait(for: 10, of: "run", while: train)
    let socket = try socket(of: train)
    try files.removeItem(atPath: folder(of: socket))
    try Wait.until("the socket is there again") { files.fileExists(atPath: socket) }
    kill(try #require(train.child("worker-1")), SIGKILL)
    #expect(try train.wait() == 0, "\(train.errors)")
    #expect(train.errors.contains("made again"), "\(train.errors)")
    #expect(try long.result("run") == long.undisturbed())
    #expect(!files.fileExists(atPath: folder(of: socket)))
  }

  @Test("a deleted socket, and a folder deleted while the coordinator is dead")
  func removedWithCoordinator() throws {
    let long = try LongRun()
    let train = try long.start("run", ["--workers", "2", "--servers", "1"])
    try long.wait(for: 10, of: "run", while: train)
    let socket = try socket(of: train)
    try files.removeItem(atPath: socket)
    try Wait.until("the socket is there again") { files.fileExists(atPath: socket) }
    let coordinator = try #require(train.child("coordinator"))
    kill(coordinator, SIGSTOP)
    try files.removeItem(atPath: folder(of: socket))
    kill(coordinator, SIGKILL)
    #expect(try train.wait() == 0, "\(train.errors)")
    #expect(try long.result("run") == long.undisturbed())
  }

  @Test("the folder of a killed launcher is removed by the next one")
  func leftOver() throws {
    let long = try LongRun()
    let train = try long.start("run")
    try long.wait(for: 5, of: "run", while: train)
    let left = folder(of: try socket(of: train))
    train.killWithChildren()
    try Wait.until("it is gone") { !train.isRunning }
    #expect(files.fileExists(atPath: left))
    #expect(try long.complete("run") == long.undisturbed())
    #expect(!files.fileExists(atPath: left))
  }
}
