import ArgumentParser
import Configuration
import Recommenders
import Runtime
import Settings
import Tensors
import Transport

/// The program `mrdib`, with what an executable of your own adds to it.
///
///     @main
///     enum Program {
///       static func main() { MRdIBProgram.main(models: [MyModel.self], metrics: [.myMetric]) }
///     }
///
/// A run starts its servers and workers from the same executable, so all of them know the
/// additions. Workers on other machines need that executable as well.
public enum MRdIBProgram {
  /// Does what the command line asks for and ends the process. Call it first: what a program adds
  /// must be known before anything else is used.
  ///
  /// - Parameters:
  ///   - models: types that can be asked for with `--model NAME`.
  ///   - metrics: formulas that can be asked for with `--set metrics=[NAME, …]`.
  ///   - estimators: types that can be asked for with `--set mi_estimator=NAME`.
  public static func main(
    models: [any NamedBackbone.Type] = [], metrics: [Metric] = [],
    estimators: [any RedundancyEstimator.Type] = []
  ) -> Never {
    ProcessMemory.keepForReuse()
    ConnectionGuard.raiseDescriptorLimit()
    ProcessOutput.ignoreBrokenPipes()
    SignalPipe.unblock()
    Logs.start()
    // Commands that start other processes, or several runs, choose a smaller number. Threads start
    // with the first work that is worth them.
    Lanes.setCount(Processors.threads(wanted: 0, processes: 1))
    do {
      try ModelRegistry.add(models)
      try Metric.add(metrics)
      try EstimatorRegistry.add(estimators)
      try ConfigurationKeys.check()
    } catch {
      StandardError.write("mrdib: \(error)")
      StandardOutput.leave(.configuration)
    }
    StandardOutput.endProgram(MrdibCommand.perform())
  }
}

/// The command with its roles and tools.
struct MrdibCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mrdib",
    abstract: "Trains multimodal recommenders with the MRdIB objective on a cluster.",
    discussion: """
      Results are written to stdout; progress, logs and errors to stderr. Exit codes follow
      sysexits; 138 means that a peer was lost or did not come, and that a retry can help.
      """,
    version: Program.version,
    subcommands: [
      TrainCommand.self, SweepCommand.self, CompareCommand.self, AblateCommand.self,
      TuneCommand.self, DecomposeCommand.self, ReportCommand.self,
      CoordinatorCommand.self, ServerCommand.self, WorkerCommand.self,
      KeysCommand.self, StatusCommand.self, PageCommand.self, RunsCommand.self,
      RecommendCommand.self, ExportCommand.self, CheckpointCommand.self,
      DataCommand.self, ConfigCommand.self, PlanCommand.self, DoctorCommand.self,
      SimulateCommand.self,
    ])

  /// Runs the command line and writes its error message, if it fails.
  fileprivate static func perform() -> Runtime.ExitCode {
    let arguments = Array(CommandLine.arguments.dropFirst())
    do {
      try CommandNames.check(arguments, of: Self.self)
    } catch {
      StandardError.write("mrdib: \(error)")
      return Runtime.ExitCode(describing: error)
    }
    do {
      var command = try parseAsRoot(NegativeValues.joined(arguments))
      try command.reporting {
        try ProcessArguments.check()
        try ProcessNeeds.command.check(.current(), for: "this command")
        try BLASKernels.choose()
      }
      try command.run()
      return .success
    } catch {
      let code = Runtime.ExitCode(rawValue: exitCode(for: error).rawValue)
      var text = fullMessage(for: error)
      if code == .usage, !text.contains("Unknown option"),
        let problem = OptionNames.problem(arguments, of: Self.self)
      {
        text = problem
      }
      if !text.isEmpty {
        // Requested help is a result.
        if code.isSuccess { StandardOutput.write(text) } else { StandardError.write(text) }
      }
      return code
    }
  }
}

extension ParsableCommand {
  /// Ends the program with a role's code and writes the reason to stderr if it failed. A failed
  /// role does not wait for readers of its output, because a service manager waits for it to end.
  func end(_ outcome: RoleOutcome) -> Never {
    if outcome.exitCode.isSuccess { StandardOutput.endProgram(.success) }
    StandardError.write("mrdib: \(outcome.message)")
    StandardOutput.leave(outcome.exitCode)
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

/// Negative numbers as values of options.
enum NegativeValues {
  /// The arguments with `--user -1` in the form `--user=-1`. The parser takes everything that
  /// begins with a dash for an option and would report a missing value. No option is a number, so
  /// this is unambiguous.
  static func joined(_ arguments: [String]) -> [String] {
    var result: [String] = []
    var isOver = false
    for argument in arguments {
      if argument == "--" { isOver = true }
      if !isOver, let option = result.last, isLongOption(option), isNegativeNumber(argument) {
        result[result.count - 1] = "\(option)=\(argument)"
      } else {
        result.append(argument)
      }
    }
    return result
  }

  private static func isLongOption(_ argument: String) -> Bool {
    argument.hasPrefix("--") && argument.count > 2 && !argument.contains("=")
  }

  private static func isNegativeNumber(_ argument: String) -> Bool {
    argument.prefixMatch(of: /-\.?[0-9]/) != nil
  }
}
