import Foundation
import RunConfiguration

/// A cluster of processes on this machine: what `train` starts.
public struct LocalCluster: Sendable {
  private let setup: RunSetup
  private let directory: RunDirectory
  private let runID: String
  private let isQuiet: Bool

  public init(setup: RunSetup, directory: RunDirectory, runID: String, isQuiet: Bool) {
    self.setup = setup
    self.directory = directory
    self.runID = runID
    self.isQuiet = isQuiet
  }

  /// Starts every role and blocks until all have ended.
  ///
  /// The coordinator's lines for people go to this process's stderr; what the processes log goes
  /// to the run directory.
  ///
  /// - Parameter announce: told at once, in a sentence, of a process whose failure ends the run.
  /// - Throws: ``RuntimeError`` when a process cannot be started; the directory holds no run then.
  public func run(
    signals: SignalPipe, announce: (String) -> Void = { _ in }
  ) throws -> LaunchReport {
    let socket = try SocketFolder()
    defer { socket.remove() }
    // The coordinator reads what was resolved here, so that both agree to the letter.
    try directory.writeConfiguration(setup.configurationText)
    do {
      return try LocalLauncher(logDirectory: directory.logDirectory, limits: limits)
        .run(children(socket), signals: signals) { announce("\($0.sentence); the run is ended") }
    } catch {
      // Nobody has trained: the next try may have the directory.
      try? FileManager.default.removeItem(atPath: directory.configurationPath)
      throw error
    }
  }

  /// The coordinator notices a lost node by its silence: it gets that long, and a little more.
  private var limits: Supervision.Limits {
    Supervision.Limits(notice: Double(setup.configuration.cluster.nodeTimeout) / 1000 + 5)
  }

  private func children(_ socket: SocketFolder) -> [ChildSpecification] {
    let address = "ipc://\(socket.path)/coordinator"
    let cluster = setup.configuration.cluster
    var children = [
      ChildSpecification(
        name: "coordinator",
        arguments: [
          "coordinator", "--listen", address, "--run", directory.path, "--run-id", runID,
          "--prepared",
        ] + (isQuiet ? ["--quiet"] : []), environment: BLASKernels.environment, isLeader: true,
        writesToStandardError: true)
    ]
    for rank in 0..<cluster.servers {
      children.append(
        ChildSpecification(
          name: "server-\(rank)",
          arguments: [
            "server", "--coordinator", address, "--listen", "tcp://127.0.0.1:*", "--run-id", runID,
          ], environment: BLASKernels.environment))
    }
    for rank in 0..<cluster.workers {
      children.append(
        ChildSpecification(
          name: "worker-\(rank)",
          arguments: ["worker", "--coordinator", address, "--run-id", runID],
          environment: BLASKernels.environment))
    }
    return children
  }
}

/// A private folder for a socket, with a path short enough for the operating system.
private struct SocketFolder {
  let path: String

  init() throws {
    var template = Array("/tmp/mrdib-XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else {
      throw RuntimeError.system(
        "make a folder for sockets in /tmp", errno: errno, exitCode: .cannotCreate)
    }
    path = String(cString: made)
  }

  func remove() {
    // What is left over costs nothing but a folder in /tmp.
    try? FileManager.default.removeItem(atPath: path)
  }
}
