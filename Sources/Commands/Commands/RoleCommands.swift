import ArgumentParser
import Foundation
import Logging
import Runtime
import Synchronization
import Transport

struct CoordinatorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "coordinator",
    abstract: "Lead a run: wait for its servers and workers, give out work, keep the records.")

  @OptionGroup var options: RunOptions

  @OptionGroup var continuation: ResumeOptions

  @Option(
    help: ArgumentHelp(
      """
      Where servers and workers connect, such as tcp://0.0.0.0:7000. Beyond this machine it needs \
      --keys or --insecure-network.
      """, valueName: "address"))
  var listen = "tcp://127.0.0.1:7000"

  @OptionGroup var protection: ListenOptions

  @Option(help: "Name of the run; nodes that name another are refused.")
  var runID: String?

  @Flag(help: "Print the run's summary as JSON.")
  var json = false

  @Flag(help: .hidden)
  var prepared = false

  func run() throws {
    Logs.show(from: .warning)
    try reporting {
      // Keys that cannot be used are found out before data is loaded.
      let security = try protection.security()
      let setup = try LifeSign.inherited.giveWhile {
        try prepared ? preparedSetup() : options.request().load()
      }
      let own = Mutex<(path: String, lock: RunLock)?>(nil)
      let role = CoordinatorRole(
        setup: setup, runID: runID ?? RunIdentifier.fresh(), listen: listen, isQuiet: options.quiet,
        security: security, keepsSocketFolder: prepared,
        endpointFile: try protection.addressFile(),
        announce: { [prepared] in if !prepared { StandardError.write($0) } }
      ) { [options, prepared, continuation] in
        // A directory that was prepared belongs to the process that did it.
        if prepared { return RunDirectory(existing: options.runDirectory ?? ".") }
        let opened = try options.openRunDirectory(for: setup, continuation.resume)
        StandardError.write("run directory: \(opened.directory.path)")
        own.withLock { $0 = (opened.directory.path, opened.lock) }
        return opened.directory
      }
      let outcome = try role.run(signals: SignalPipe.untilExit())
      if let (path, lock) = own.withLock({ $0 }) {
        let results = ResultTable.lines(runDirectory: path, asJSON: json)
        // The directory waits for nobody who reads results.
        lock.release()
        StandardOutput.write(results)
      }
      end(outcome)
    }
  }

  /// What the process that prepared the run directory resolved.
  private func preparedSetup() throws -> RunSetup {
    let directory = RunDirectory(existing: options.runDirectory ?? ".")
    let file = directory.configurationPath
    guard FileManager.default.fileExists(atPath: file) else {
      throw RuntimeError(
        exitCode: .inputMissing,
        message: "Cannot lead the run in '\(directory.path)': '\(file)' is not there. If the "
          + "directory was moved or deleted while the run used it, put it back, and start the same "
          + "command again.")
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

  @Option(help: "Name of the run to join; empty means whatever run the coordinator has.")
  var runID = ""

  @Option(help: "Name of this process that stays when it is started again, such as worker-1.")
  var name = ""

  @Option(help: ArgumentHelp("How long to wait for the coordinator.", valueName: "seconds"))
  var joinTimeout: Double = 600

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

  func node(_ security: Security) -> NodeOptions {
    NodeOptions(
      coordinator: coordinator, runID: runID, name: name, joinTimeout: joinTimeout,
      security: security)
  }
}

struct ServerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "server",
    abstract: "Hold a share of the parameters and apply the optimizer.")

  @OptionGroup var options: JoinOptions

  @Option(
    help: ArgumentHelp(
      """
      Where workers connect; * is a free port. Beyond this machine it needs --keys or \
      --insecure-network.
      """, valueName: "address"))
  var listen = "tcp://127.0.0.1:*"

  @Option(
    help: ArgumentHelp(
      "Name or address at which workers reach this machine, when --listen does not say it.",
      valueName: "host"))
  var advertise: String?

  @OptionGroup var protection: ListenOptions

  func run() throws {
    try reporting {
      let role = ServerRole(
        options: options.node(try protection.security()), listen: listen, advertisedHost: advertise,
        endpointFile: try protection.addressFile())
      end(try role.run(signals: SignalPipe.untilExit()))
    }
  }
}

struct WorkerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "worker", abstract: "Compute gradients and rankings for a run.")

  @OptionGroup var options: JoinOptions
  @OptionGroup var protection: KeyOptions

  @Option(
    help: ArgumentHelp(
      "The data set's folder on this machine, if it is not where the coordinator has it.",
      valueName: "folder"))
  var data: String?

  func run() throws {
    try reporting {
      let role = WorkerRole(
        options: options.node(try protection.security(listens: false)), dataFolder: data)
      end(try role.run(signals: SignalPipe.untilExit()))
    }
  }
}
