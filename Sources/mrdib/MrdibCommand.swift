import ArgumentParser
import Runtime
import Transport

/// The command with its roles and tools.
@main
struct MrdibCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mrdib",
    abstract: "Trains multimodal recommenders with the MRdIB objective on a cluster.",
    discussion: """
      Results go to stdout; progress, logs and errors to stderr. Exit codes follow sysexits; 138
      means that a peer was lost and the same command can be started again.
      """,
    version: Program.version,
    subcommands: [
      TrainCommand.self, SweepCommand.self, CompareCommand.self, AblateCommand.self,
      CoordinatorCommand.self, ServerCommand.self, WorkerCommand.self,
      KeysCommand.self, RecommendCommand.self, ExportCommand.self, CheckpointCommand.self,
      DataCommand.self, ConfigCommand.self, DoctorCommand.self, SimulateCommand.self,
    ])

  static func main() {
    ProcessMemory.keepForReuse()
    ConnectionGuard.raiseDescriptorLimit()
    ProcessOutput.outliveReaders()
    ProcessLimits.raiseDescriptorLimit()
    do {
      let arguments = Array(CommandLine.arguments.dropFirst())
      var command = try parseAsRoot(NegativeValues.joined(arguments))
      try command.reporting {
        try ProcessArguments.check()
        try BLASKernels.choose()
      }
      try command.run()
      StandardOutput.finish()
    } catch {
      if exitCode(for: error).isSuccess { StandardOutput.finish() }
      exit(withError: error)
    }
  }
}

extension ParsableCommand {
  /// Ends the program with a role's code; the reason goes to stderr unless all went well.
  func end(_ outcome: RoleOutcome) throws -> Never {
    if !outcome.exitCode.isSuccess { StandardError.write("mrdib: \(outcome.message)") }
    throw ArgumentParser.ExitCode(outcome.exitCode.rawValue)
  }

  /// Runs a command's work and turns what it throws into one line on stderr and an exit code.
  func reporting(_ work: () throws -> Void) throws {
    do {
      try work()
    } catch let code as ArgumentParser.ExitCode {
      throw code
    } catch {
      StandardError.write("mrdib: \(error)")
      throw ArgumentParser.ExitCode(Runtime.ExitCode(describing: error).rawValue)
    }
  }
}
