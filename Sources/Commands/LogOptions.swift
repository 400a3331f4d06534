import ArgumentParser
import Foundation
import Runtime

/// The option for how a process writes its lines on stderr and in its log.
struct LogOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      text, or json: every line on stderr and in the logs is a JSON object (default: \
      MRDIB_LOG_FORMAT, else text).
      """, valueName: "text|json"))
  var logFormat: LogFormat?

  /// Writes in this format from now on.
  ///
  /// - Parameter name: of the process, such as `worker-1`; may be empty.
  func apply(role: String, name: String) throws {
    let variable = ProcessInfo.processInfo.environment["MRDIB_LOG_FORMAT"] ?? ""
    guard let format = logFormat ?? (variable.isEmpty ? .text : LogFormat(rawValue: variable))
    else {
      throw RuntimeError(
        exitCode: .usage,
        message: "Cannot use MRDIB_LOG_FORMAT=\(variable): it is neither 'text' nor 'json'.")
    }
    LogFormat.use(format, role: role, name: name)
  }
}

extension LogFormat: ExpressibleByArgument {}
