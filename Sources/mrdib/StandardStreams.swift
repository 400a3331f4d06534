import Foundation
import Runtime

/// Lines for people.
enum StandardError {
  static func write(_ line: String) { ProcessOutput.writeError(line) }
}

/// Results of a command.
enum StandardOutput {
  /// Writes out what is left of the results, and ends the process with 74 if any were lost: nobody
  /// shall take half a table for a whole one.
  static func finish() {
    switch ProcessOutput.deliver() {
    case .complete: return
    // As `head` and others expect of a program whose output they do not want.
    case .unwanted: exit(ExitCode.signal(SIGPIPE).rawValue)
    case .lost(let reason):
      StandardError.write(
        "mrdib: Cannot write the results to stdout: \(reason). Make room, or send them elsewhere.")
      exit(ExitCode.inputOutput.rawValue)
    }
  }

  /// Machine-readable results.
  static func printJSON(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    print(String(decoding: try encoder.encode(value), as: UTF8.self))
  }
}
