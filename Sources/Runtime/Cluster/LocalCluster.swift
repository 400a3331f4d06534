import Configuration
import Files
import Foundation
import Settings
import Transport

/// A cluster of processes on this machine: what `train` starts.
package struct LocalCluster: Sendable {
  private let setup: RunSetup
  private let directory: RunDirectory
  private let runID: String
  private let detail: ProgressDetail
  private let keyFolder: String?
  private let title: RunTitle

  /// - Parameters:
  ///   - keyFolder: with the keys that every process uses; nil: traffic, which does not leave this
  ///     machine, is not encrypted.
  ///   - title: recorded with this start.
  package init(
    setup: RunSetup, directory: RunDirectory, runID: String, detail: ProgressDetail,
    keyFolder: String? = nil, title: RunTitle = RunTitle()
  ) {
    self.setup = setup
    self.directory = directory
    self.runID = runID
    self.detail = detail
    self.keyFolder = keyFolder
    self.title = title
  }

  /// Starts all processes, restarts those that die, and blocks until all have ended.
  ///
  /// The coordinator's progress lines go to this process's stderr, the logs of all processes to the
  /// run directory.
  ///
  /// - Parameter announce: receives a sentence at once when a process ends before the run does:
  ///   what happened and what follows from it.
  /// - Throws: ``RuntimeError`` when the system's limits are too low for the cluster, or a process
  ///   cannot be started; the directory holds no run then.
  package func run(
    signals: SignalPipe, announce: (String) -> Void = { _ in }
  ) throws -> LaunchReport {
    try ClusterNeeds(setup).check(.current())
    try keyFolder.map { try KeyFolder($0).checkClusterOnThisMachine() }
    let socket = try SocketFolder()
    defer { socket.remove() }
    let isNew = !FileManager.default.fileExists(atPath: directory.configurationPath)
    // The coordinator reads the configuration that was resolved here, so that both agree exactly.
    try directory.writeConfiguration(setup.configurationText)
    try directory.recordStart(title)
    do {
      return try LocalLauncher(
        logDirectory: directory.logDirectory, limits: limits, policy: policy
      ).run(
        children(socket), signals: signals, announce: { announce($0.sentence) },
        environment: Rendezvous.without(ProcessInfo.processInfo.environment))
    } catch {
      // Nothing was trained: leave the directory free for the next attempt.
      if isNew {
        for path in [directory.configurationPath, directory.environmentPath] {
          try? FileManager.default.removeItem(atPath: path)
        }
      }
      throw error
    }
  }

  /// The coordinator notices a lost node by its silence: it gets that time and 5 s more.
  private var limits: Supervision.Limits {
    let cluster = setup.configuration.cluster
    return Supervision.Limits(
      notice: Double(cluster.nodeTimeout) / 1000 + 5, hang: Double(cluster.hangTimeout) / 1000)
  }

  private var policy: RestartPolicy {
    let cluster = setup.configuration.cluster
    return RestartPolicy(limit: cluster.restartLimit, window: Double(cluster.restartWindow))
  }

  private func children(_ socket: SocketFolder) -> [ChildSpecification] {
    let address = socket.endpoint
    let cluster = setup.configuration.cluster
    let hasLoopback = Endpoint.reachesLoopback
    let threads = ComputingThreads(setup.configuration)
    let servers = (0..<cluster.servers).map { rank in
      let listen = hasLoopback ? "tcp://127.0.0.1:*" : socket.endpoint(ofServer: rank)
      return node(
        "server", rank: rank, at: address, threads: threads.perServer, ["--listen", listen])
    }
    let nice = ThreadPriority.nice(
      ofWorkers: cluster.workers, on: ProcessInfo.processInfo.activeProcessorCount)
    let workers = (0..<cluster.workers).map {
      var worker = node("worker", rank: $0, at: address, threads: threads.perWorker)
      worker.nice = nice
      return worker
    }
    return [coordinator(at: address)] + servers + workers
  }

  private func coordinator(at address: String) -> ChildSpecification {
    ChildSpecification(
      name: "coordinator",
      arguments: [
        "coordinator", "--listen", address, "--run=\(directory.path)", "--run-id", runID,
        "--prepared",
      ] + detailOptions + keys,
      isLeader: true, writesToStandardError: true)
  }

  private var detailOptions: [String] {
    switch detail {
    case .quiet, .brief: ["--quiet"]
    case .normal: []
    case .verbose: ["--verbose"]
    }
  }

  private func node(
    _ role: String, rank: Int, at address: String, threads: Int, _ options: [String] = []
  ) -> ChildSpecification {
    let name = "\(role)-\(rank)"
    return ChildSpecification(
      name: name, role: role,
      arguments: [
        role, "--coordinator", address, "--run-id", runID, "--name", name,
        "--threads", "\(threads)", "--log-file=\(directory.logPath(of: name))",
      ] + options + keys)
  }

  private var keys: [String] { keyFolder.map { ["--keys=\($0)"] } ?? [] }
}
