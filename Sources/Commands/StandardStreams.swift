import ForeignText
import Foundation
import Runtime

/// Lines for people.
enum StandardError {
  /// Writes a line. What a terminal would obey is replaced, since the line may quote what others
  /// wrote. Never waits for those who read it, only a moment for results before it.
  static func write(_ line: String) {
    // Where both streams go to one place, their order is that in which things were said.
    _ = ProcessOutput.results.flush(within: ProcessOutput.patience)
    ProcessOutput.news.write(line.printable() + "\n")
  }
}

/// Results of a command. They wait for whoever reads them, as those of any tool, until a signal
/// ends that.
enum StandardOutput {
  static func write(_ line: String) { write(text: line + "\n") }

  static func write(_ lines: [String]) {
    write(text: lines.map { $0 + "\n" }.joined())
  }

  /// - Parameter text: lines, each with its end.
  static func write(text: String) {
    _ = ProcessOutput.news.flush(within: ProcessOutput.patience)
    waitForReader { ProcessOutput.results.hasRoom(within: $0) }
    ProcessOutput.results.write(text)
  }

  /// Machine-readable results.
  static func writeJSON(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    write(String(decoding: try encoder.encode(value), as: UTF8.self))
  }

  /// Ends the program when its results are written.
  ///
  /// - Parameter code: with which it ends, unless it is a success whose results are lost: nobody
  ///   shall take half a table for a whole one.
  static func endProgram(_ code: ExitCode) -> Never {
    waitForReader { ProcessOutput.results.flush(within: $0) }
    switch ProcessOutput.delivery {
    case .unwanted where code.isSuccess:
      // As `head` and others expect of a program whose output they do not want.
      leave(.signal(SIGPIPE))
    case .lost(let reason) where code.isSuccess:
      StandardError.write(
        "mrdib: Cannot write the results to stdout: \(reason). Make room, or send them elsewhere.")
      leave(.inputOutput)
    default: leave(code)
    }
  }

  private static func waitForReader(_ attempt: (Double) -> Bool) {
    while !attempt(0.1) {
      // Commands that watch no signals are ended by them anyway.
      if let signal = SignalPipe.watchedUntilExit?.next() { leave(.signal(signal)) }
    }
  }

  /// Ends the program soon, whether anybody reads what it says or not.
  static func leave(_ code: ExitCode) -> Never {
    // A launcher shall not take this for hanging.
    LifeSign.inherited.giveWhile {
      _ = ProcessOutput.results.flush(within: ProcessOutput.patience)
      _ = ProcessOutput.news.flush(within: ProcessOutput.patience)
    }
    exit(code.rawValue)
  }
}
