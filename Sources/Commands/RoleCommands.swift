import ArgumentParser
import Foundation
import Logging
import Runtime
import Synchronization
import Tensors
import Transport

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

  @OptionGroup var continuation: ResumeOptions

  @Option(
    help: ArgumentHelp(
      """
      The address for servers and workers, such as tcp://0.0.0.0:7000. An address that other \
      machines can reach needs --keys or --insecure-network.
      """, valueName: "address"))
  var listen = "tcp://127.0.0.1:7000"

  @OptionGroup var protection: ListenOptions

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
      // Checked first, so that unusable keys are reported before the data is loaded.
      let security = try protection.security()
      let setup = try LifeSign.inherited.giveWhile {
        try prepared ? preparedSetup() : options.request().load(showsProgress: !options.quiet)
      }
      let own = Mutex<(path: String, lock: RunLock)?>(nil)
      let role = CoordinatorRole(
        setup: setup, runID: runID ?? RunIdentifier.fresh(), listen: listen,
        detail: try details.detail(isQuiet: options.quiet), security: security,
        keepsSocketFolder: prepared,
        endpointFile: try protection.addressFile(),
        announce: { [prepared] in if !prepared { StandardError.write($0) } }
      ) { [options, prepared, continuation] in
        // The launcher prepared the directory and holds its lock.
        if prepared {
          let directory = RunDirectory(existing: options.runDirectory ?? ".")
          RunLog.keep(in: directory, of: "coordinator")
          return directory
        }
        let opened = try options.openRunDirectory(for: setup, continuation.resume)
        RunLog.keep(in: opened.directory, of: "coordinator")
        try opened.directory.recordStart()
        StandardError.write("run directory: \(opened.directory.path)")
        own.withLock { $0 = (opened.directory.path, opened.lock) }
        return opened.directory
      }
      let outcome = try role.run(signals: SignalPipe.untilExit())
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

/// The options of a process that joins a run.
struct JoinOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The coordinator's address, such as tcp://10.0.0.5:7000.", valueName: "address"))
  var coordinator = "tcp://127.0.0.1:7000"

  @Option(help: "The id of the run to join (default: any run of the coordinator).")
  var runID = ""

  @Option(
    help: "A name that this process keeps when it is restarted, such as worker-1 (default: none).")
  var name = ""

  @Option(help: ArgumentHelp("How long to wait for the coordinator.", valueName: "seconds"))
  var joinTimeout: Double = 600

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
    try RunLog.keep(at: logFile, of: name.isEmpty ? role : name)
  }

  func validate() throws {
    guard joinTimeout >= 1, joinTimeout <= 1e9 else {
      throw ValidationError(
        "--join-timeout is \(joinTimeout); give a number of seconds from 1 to 1e9")
    }
    guard name.utf8.count <= 64, name.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else {
      throw ValidationError(
        "--name is '\(name)'; give at most 64 characters of ASCII without blanks")
    }
  }

  @OptionGroup var computing: ComputingOptions

  func node(_ security: Security) -> NodeOptions {
    NodeOptions(
      coordinator: coordinator, runID: runID, name: name, joinTimeout: joinTimeout,
      security: security)
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

  @OptionGroup var protection: ListenOptions

  func run() throws {
    try reporting {
      try options.keepLog(of: "server")
      options.computing.startLanes()
      let role = ServerRole(
        options: options.node(try protection.security()), listen: listen, advertisedHost: advertise,
        endpointFile: try protection.addressFile())
      end(try role.run(signals: SignalPipe.untilExit()))
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

  @Option(
    help: ArgumentHelp(
      "The data set's folder on this machine (default: the coordinator's path).",
      valueName: "folder"), completion: .directory)
  var data: String?

  func run() throws {
    try reporting {
      try options.keepLog(of: "worker")
      options.computing.startLanes()
      let role = WorkerRole(
        options: options.node(try protection.security(listens: false)), dataFolder: data)
      end(try role.run(signals: SignalPipe.untilExit()))
    }
  }
}
