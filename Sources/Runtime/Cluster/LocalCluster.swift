import Checkpoints
import Configuration
import Files
import Foundation
import Settings
import Transport

/// A cluster of processes on this machine: what `train` starts.
package struct LocalCluster: Sendable {
  private let setup: RunSetup
  private let directory: RunDirectory
  private let runID: String?
  private let detail: ProgressDetail
  private let keyFolder: String?
  private let title: RunTitle
  private let telemetry: TelemetrySettings?
  private let coordinatorOptions: [String]

  /// - Parameters:
  ///   - runID: nil: what the coordinator chooses, because servers may hold records of a run.
  ///   - keyFolder: with the keys that every process uses; nil: traffic, which does not leave this
  ///     machine, is not encrypted.
  ///   - title: recorded with this start.
  ///   - telemetry: of the launcher; the coordinator, the servers and the workers have the ports
  ///     after its port, in that order.
  ///   - coordinatorOptions: more of the command line of the coordinator.
  package init(
    setup: RunSetup, directory: RunDirectory, runID: String?, detail: ProgressDetail,
    keyFolder: String? = nil, title: RunTitle = RunTitle(), telemetry: TelemetrySettings? = nil,
    coordinatorOptions: [String] = []
  ) {
    self.setup = setup
    self.directory = directory
    self.runID = runID
    self.detail = detail
    self.keyFolder = keyFolder
    self.title = title
    self.telemetry = telemetry
    self.coordinatorOptions = coordinatorOptions
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
    let children = try children(socket)
    let watch = try telemetry.map {
      try LauncherTelemetry(
        $0, processes: children.map(\.name), isQuiet: [.quiet, .brief].contains(detail))
    }
    defer { watch?.finish() }
    if setup.copiesCheckpoints {
      for rank in 0..<setup.configuration.cluster.servers {
        try DurableFile.makeFolder("\(setup.configuration.checkpoints.folder)/server-\(rank)")
      }
    }
    let isNew = !FileManager.default.fileExists(atPath: directory.configurationPath)
    // The coordinator reads the configuration that was resolved here, so that both agree exactly.
    try directory.writeConfiguration(setup.configurationText)
    try directory.recordStart(title)
    do {
      return try LocalLauncher(
        logDirectory: directory.logDirectory, limits: limits, policy: policy
      ).run(
        children, signals: signals,
        announce: { notice in
          watch?.note(notice)
          announce(notice.sentence)
        }, environment: Rendezvous.without(ProcessInfo.processInfo.environment))
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

  private func children(_ socket: SocketFolder) throws -> [ChildSpecification] {
    let address = socket.endpoint
    let cluster = setup.configuration.cluster
    let hasLoopback = Endpoint.reachesLoopback
    let threads = ComputingThreads(setup.configuration)
    let servers = (0..<cluster.servers).map { rank in
      let listen = hasLoopback ? "tcp://127.0.0.1:*" : socket.endpoint(ofServer: rank)
      return node(
        "server", rank: rank, at: address, threads: threads.perServer,
        ["--listen", listen] + checkpointFolder(ofServer: rank))
    }
    let nice = ThreadPriority.nice(
      ofWorkers: cluster.workers, on: ProcessInfo.processInfo.activeProcessorCount)
    let workers = (0..<cluster.workers).map {
      var worker = node("worker", rank: $0, at: address, threads: threads.perWorker)
      worker.nice = nice
      return worker
    }
    var children = [coordinator(at: address)] + servers + workers
    if LogFormat.current == .json {
      for index in children.indices { children[index].arguments.append("--log-format=json") }
    }
    if let telemetry {
      for index in children.indices {
        children[index].arguments += try telemetry.of(process: index + 1).arguments
      }
    }
    return children
  }

  private func coordinator(at address: String) -> ChildSpecification {
    ChildSpecification(
      name: "coordinator",
      arguments: [
        "coordinator", "--listen", address, "--run=\(directory.path)", "--prepared",
      ] + identity + detailOptions + keys + coordinatorOptions,
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
        role, "--coordinator", address, "--name", name,
        "--threads", "\(threads)", "--log-file=\(directory.logPath(of: name))",
      ] + identity + options + keys)
  }

  /// Where copies are kept, every server has a folder, as if it had a disk of its own.
  private func checkpointFolder(ofServer rank: Int) -> [String] {
    setup.copiesCheckpoints
      ? ["--checkpoint-folder=\(setup.configuration.checkpoints.folder)/server-\(rank)"] : []
  }

  private var identity: [String] { runID.map { ["--run-id", $0] } ?? [] }

  private var keys: [String] { keyFolder.map { ["--keys=\($0)"] } ?? [] }
}
