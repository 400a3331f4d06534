import ArgumentParser
import Foundation
import Logging
import Runtime
import Synchronization
import Tensors
import Transport
import Web

struct CoordinatorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "coordinator",
    abstract: "Coordinate a run: accept servers and workers, assign work, write the records.",
    discussion: """
        mrdib coordinator --listen tcp://0.0.0.0:7000 --data lfm2k --run runs/one --workers 2 \\
          --servers 2 --keys keys
      """)

  @OptionGroup var options: RunOptions
  @OptionGroup var details: DetailOptions
  @OptionGroup var page: PageOptions

  @OptionGroup var continuation: ResumeOptions

  @Option(
    help: ArgumentHelp(
      """
      The address for servers and workers, such as tcp://0.0.0.0:7000. An address that other \
      machines can reach needs --keys or --insecure-network (default: what the environment says, \
      see 'mrdib doctor --cluster', else \(JoinOptions.standardAddress)).
      """, valueName: "address"))
  var listen: String?

  @Option(
    help: ArgumentHelp(
      """
      Name or address at which servers and workers reach this machine, for --endpoint-file \
      (default: the one in --listen).
      """, valueName: "host"))
  var advertise: String?

  @OptionGroup var naming: TitleOptions

  @OptionGroup var protection: ListenOptions

  @OptionGroup var telemetry: TelemetryOptions
  @OptionGroup var logs: LogOptions

  @Option(
    help: """
      The run's id; workers and servers with another --run-id are refused (default: a new one, or \
      that of the run that is resumed).
      """)
  var runID: String?

  @Flag(help: "Print the run's summary as JSON.")
  var json = false

  @Flag(help: .hidden)
  var prepared = false

  func validate() throws {
    _ = try details.detail(isQuiet: options.quiet)
  }

  func run() throws {
    Logs.show(from: .warning)
    try reporting {
      try logs.apply(role: "coordinator", name: "coordinator")
      // Checked first, so that unusable keys are reported before the data is loaded.
      let security = try protection.security()
      let title = try naming.title()
      let place = try CoordinatorPlace(self)
      let observer = RunObserver()
      let server = try page.serve(observer, isQuiet: options.quiet)
      defer { server?.stop() }
      let setup = try LifeSign.inherited.giveWhile {
        try prepared
          ? preparedSetup()
          : options.request(joining: Rendezvous(role: "coordinator")).load(
            showsProgress: !options.quiet)
      }
      let service = try telemetry.service(role: "coordinator", name: "coordinator") {
        prepared ? ProcessOutput.log?.note($0) : StandardError.write($0)
      }
      let own = Mutex<(path: String, lock: RunLock)?>(nil)
      let role = CoordinatorRole(
        setup: setup, runID: runID, listen: place.listen,
        advertisedHost: place.advertisedHost, detail: try details.detail(isQuiet: options.quiet),
        security: security,
        keepsSocketFolder: prepared,
        endpointFile: place.endpointFile, telemetry: service?.board, observer: observer,
        announce: { [prepared] in if !prepared { StandardError.write($0) } },
        lostRecords: options.overwrite ? nil : continuation.resume.lostRecords
      ) { [options, prepared, continuation] in
        // The launcher prepared the directory and holds its lock.
        if prepared {
          let directory = RunDirectory(existing: options.runDirectory ?? ".")
          RunLog.keep(in: directory, of: "coordinator")
          return directory
        }
        let opened = try options.openRunDirectory(for: setup, continuation.resume)
        RunLog.keep(in: opened.directory, of: "coordinator")
        try opened.directory.recordStart(title)
        StandardError.write("run directory: \(opened.directory.path)")
        try service?.leaveFiles(in: opened.directory.telemetryDirectory)
        own.withLock { $0 = (opened.directory.path, opened.lock) }
        return opened.directory
      }
      let outcome = try TelemetryOptions.finishing(service) {
        try role.run(signals: SignalPipe.untilExit())
      }
      if let (path, lock) = own.withLock({ $0 }) {
        let results = ResultTable.lines(runDirectory: path, asJSON: json)
        // Released before results are written, because writing them may wait for their reader.
        lock.release()
        StandardOutput.write(results)
        if outcome.exitCode.isSuccess, !options.quiet {
          NextSteps(runDirectory: path, data: setup.dataFolder)
            .lines.forEach(StandardError.write)
        }
      }
      if prepared, [.interrupted, .terminated].contains(outcome.exitCode) {
        // The launcher, which got the signal too, says that the run was stopped.
        ProcessOutput.log?.note("mrdib: \(outcome.message)")
        StandardOutput.leave(outcome.exitCode)
      }
      end(outcome)
    }
  }

  /// The setup that the launcher resolved, from the run directory.
  private func preparedSetup() throws -> RunSetup {
    let directory = RunDirectory(existing: options.runDirectory ?? ".")
    let file = directory.configurationPath
    guard FileManager.default.fileExists(atPath: file) else {
      throw RuntimeError(
        exitCode: .inputMissing,
        message: "Cannot continue the run in '\(directory.path)': '\(file)' is missing. If the "
          + "directory was moved or deleted during the run, put it back and start the same command "
          + "again.")
    }
    return try RunRequest(data: nil, configurationFiles: [file]).load()
      .with(configurationText: directory.configurationText())
  }
}

/// Where a coordinator listens and how others learn its address: from its options, else from the
/// variables in which servers and workers look for it.
private struct CoordinatorPlace {
  let listen: String
  let advertisedHost: String?
  let endpointFile: EndpointFile?

  init(_ command: CoordinatorCommand) throws {
    // A launcher names the address.
    let rendezvous = command.prepared ? nil : Rendezvous(role: "coordinator")
    let sought = try rendezvous?.coordinator()?.address
    listen = command.listen ?? sought?.listeningAddress ?? JoinOptions.standardAddress
    var file = try command.protection.addressFile()
    if file == nil, case .file(let path) = sought { file = try EndpointFile(path: path) }
    endpointFile = file
    advertisedHost =
      command.advertise
      ?? (file == nil
        ? nil
        : rendezvous?.advertisedHost(listeningAt: listen, else: ProcessInfo.processInfo.hostName))
  }
}

/// The options of a process that joins a run.
struct JoinOptions: ParsableArguments {
  /// Where a coordinator is if neither an option nor the environment says.
  static let standardAddress = "tcp://127.0.0.1:7000"

  @Option(
    help: ArgumentHelp(
      """
      The coordinator's address, such as tcp://10.0.0.5:7000, or file://PATH of the file that it \
      writes with --endpoint-file and that is read again when it moves (default: what the \
      environment says, see 'mrdib doctor --cluster', else \(standardAddress)).
      """, valueName: "address"))
  var coordinator: String?

  @Option(help: "The id of the run to join (default: any run of the coordinator).")
  var runID = ""

  @Option(
    help: """
      A name that this process keeps when it is restarted, such as worker-1 (default: what the \
      environment says, else none).
      """)
  var name: String?

  @Option(help: ArgumentHelp("How long to wait for the coordinator.", valueName: "seconds"))
  var joinTimeout: Double = 600

  @Option(
    help: ArgumentHelp(
      """
      How long to continue after SIGTERM or Ctrl-C, unless the run ends before, so that a \
      coordinator that was stopped too can end the run with a last checkpoint; a second signal \
      ends it at once (default: 0).
      """, valueName: "seconds"))
  var stopDelay: Double = 0

  @Option(
    help: ArgumentHelp(
      """
      Also write the log to the end of this file; beyond 64 MiB it becomes FILE.1 and a new one \
      begins (default: stderr only).
      """, valueName: "file"), completion: .file())
  var logFile: String?

  /// Keeps the log of a process, if one is asked for.
  ///
  /// - Parameter role: names the process if `--name` does not.
  func keepLog(of role: String) throws {
    guard let logFile else { return }
    try RunLog.keep(at: logFile, of: name.flatMap { $0.isEmpty ? nil : $0 } ?? role)
  }

  func validate() throws {
    guard joinTimeout >= 1, joinTimeout <= 1e9 else {
      throw ValidationError(
        "--join-timeout is \(joinTimeout); give a number of seconds from 1 to 1e9")
    }
    if let name, !NodeOptions.isName(name) {
      throw ValidationError(
        "--name is '\(name)'; give at most \(NodeOptions.longestName) characters of ASCII without "
          + "blanks")
    }
    guard stopDelay >= 0, stopDelay <= 1e6 else {
      throw ValidationError(
        "--stop-delay is \(stopDelay); give a number of seconds from 0 to 1e6")
    }
  }

  @OptionGroup var computing: ComputingOptions

  /// What the options say, else the environment.
  ///
  /// - Throws: errors with a sentence if an address or a variable is malformed.
  func node(_ rendezvous: Rendezvous, _ security: Security) throws -> NodeOptions {
    NodeOptions(
      coordinator: try coordinator.map { try CoordinatorAddress($0) }
        ?? rendezvous.coordinator()?.address ?? CoordinatorAddress(Self.standardAddress),
      runID: runID, name: try name ?? rendezvous.name() ?? "", joinTimeout: joinTimeout,
      stopDelay: stopDelay, security: security)
  }
}

struct ServerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "server",
    abstract: "Run a parameter server: hold a part of the tables and apply the optimizer.",
    discussion: """
        mrdib server --coordinator tcp://A:7000 --listen 'tcp://0.0.0.0:*' --advertise B --keys keys
      """)

  @OptionGroup var options: JoinOptions

  @Option(
    help: ArgumentHelp(
      """
      The address for workers; * is a free port. An address that other machines can reach needs \
      --keys or --insecure-network.
      """, valueName: "address"))
  var listen = "tcp://127.0.0.1:*"

  @Option(
    help: ArgumentHelp(
      "Name or address at which workers reach this machine (default: the one in --listen).",
      valueName: "host"))
  var advertise: String?

  @Option(
    help: ArgumentHelp(
      """
      Where this machine keeps checkpoints with checkpoint_copies 2 (default: the run's \
      checkpoint_folder).
      """, valueName: "folder"), completion: .directory)
  var checkpointFolder: String?

  @OptionGroup var protection: ListenOptions
  @OptionGroup var telemetry: TelemetryOptions
  @OptionGroup var logs: LogOptions

  func run() throws {
    try reporting {
      let rendezvous = Rendezvous(role: "server")
      let node = try options.node(rendezvous, protection.security())
      try logs.apply(role: "server", name: node.name)
      try options.keepLog(of: "server")
      options.computing.startLanes()
      let service = try telemetry.service(role: "server", name: node.name)
      let role = ServerRole(
        options: node, listen: listen,
        advertisedHost: advertise ?? rendezvous.advertisedHost(listeningAt: listen),
        endpointFile: try protection.addressFile(), checkpointFolder: checkpointFolder,
        telemetry: service?.board)
      end(
        try TelemetryOptions.finishing(service) {
          try role.run(signals: SignalPipe.untilExit())
        })
    }
  }
}

struct WorkerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "worker", abstract: "Run a worker: compute gradients and rankings.",
    discussion: """
        mrdib worker --coordinator tcp://A:7000 --data lfm2k --name worker-D --keys keys
      """)

  @OptionGroup var options: JoinOptions
  @OptionGroup var protection: KeyOptions
  @OptionGroup var telemetry: TelemetryOptions
  @OptionGroup var logs: LogOptions

  @Option(
    help: ArgumentHelp(
      "The data set's folder on this machine (default: the coordinator's path).",
      valueName: "folder"), completion: .directory)
  var data: String?

  func run() throws {
    try reporting {
      let rendezvous = Rendezvous(role: "worker")
      let node = try options.node(rendezvous, protection.security(listens: false))
      try logs.apply(role: "worker", name: node.name)
      try options.keepLog(of: "worker")
      options.computing.startLanes()
      let service = try telemetry.service(role: "worker", name: node.name)
      let role = WorkerRole(
        options: node, dataFolder: data ?? rendezvous.find(.data)?.value,
        telemetry: service?.board)
      end(
        try TelemetryOptions.finishing(service) {
          try role.run(signals: SignalPipe.untilExit())
        })
    }
  }
}
