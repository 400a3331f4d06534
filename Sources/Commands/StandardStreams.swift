import Files
import Foundation
import Logging
import Runtime
import Synchronization

/// Progress, warnings and errors.
enum StandardError {
  /// Writes a line. Control characters are replaced, because the line may quote foreign text. Does
  /// not wait for its reader, only shortly for earlier results.
  static func write(_ line: String) {
    // Keeps the order of lines if both streams have the same destination.
    _ = ProcessOutput.results.flush(within: ProcessOutput.patience)
    ProcessOutput.report(line.withoutControlCharacters())
  }

  /// Writes a line while another process shows a status on the same terminal.
  static func writeOverStatus(_ line: String) {
    ProcessOutput.reportOverStatus(line.withoutControlCharacters())
  }
}

/// Results of a command. Writing waits for the reader, as in any tool, until a signal arrives.
enum StandardOutput {
  static func write(_ line: String) { write(text: line + "\n") }

  static func write(_ lines: [String]) {
    write(text: lines.map { $0 + "\n" }.joined())
  }

  /// - Parameter text: lines, each with its newline.
  static func write(text: String) {
    _ = ProcessOutput.diagnostics.flush(within: ProcessOutput.patience)
    waitForReader { ProcessOutput.results.hasRoom(within: $0) }
    ProcessOutput.results.write(text)
  }

  /// Machine-readable results.
  static func writeJSON(_ value: some Encodable) throws { write(text: try jsonText(value)) }

  /// The text of ``writeJSON(_:)``, with its newline.
  static func jsonText(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
  }

  /// Whether results still reach their reader; false after the reader closed the pipe or a write
  /// failed, which ``endProgram(_:)`` reports.
  static var isWanted: Bool { ProcessOutput.delivery == .complete }

  /// Ends the program when its results are written.
  ///
  /// - Parameter code: the exit code. A success becomes a failure if results were lost, so that an
  ///   incomplete table is not taken for a complete one.
  static func endProgram(_ code: ExitCode) -> Never {
    waitForReader { ProcessOutput.results.flush(within: $0) }
    switch ProcessOutput.delivery {
    case .unwanted where code.isSuccess:
      // The convention if the reader, such as `head`, closes the pipe early.
      leave(.signal(SIGPIPE))
    case .lost(let reason) where code.isSuccess:
      StandardError.write(
        "mrdib: Cannot write the results to stdout: \(reason). Free some space, or redirect them.")
      leave(.inputOutput)
    default: leave(code)
    }
  }

  private static func waitForReader(_ attempt: (Double) -> Bool) {
    while !attempt(0.1) {
      // In commands that do not watch signals, a signal ends the process directly.
      if let signal = SignalPipe.watchedUntilExit?.next() { leave(.signal(signal)) }
    }
  }

  /// Ends the program soon, even if its output is not read.
  static func leave(_ code: ExitCode) -> Never {
    // Life signs, so that a launcher does not kill the process as hanging.
    LifeSign.inherited.giveWhile {
      _ = ProcessOutput.results.flush(within: ProcessOutput.patience)
      ProcessOutput.flushDiagnostics()
    }
    exit(code.rawValue)
  }
}

/// Writes logs to stderr and to the log of this process.
enum Logs {
  private static let level = Mutex(Logger.Level.info)

  /// Call it once, before the first log line.
  static func start() {
    LoggingSystem.bootstrap { label in
      var handler = StreamLogHandler(label: label, stream: Stream())
      handler.logLevel = level.withLock { $0 }
      return FormattedLogHandler(text: handler, label: label)
    }
  }

  /// Sets the lowest level that is shown, for loggers created afterwards.
  static func show(from level: Logger.Level) { self.level.withLock { $0 = level } }

  /// Writes lines in the format of this process.
  private struct FormattedLogHandler: LogHandler {
    var text: StreamLogHandler
    let label: String

    var logLevel: Logger.Level {
      get { text.logLevel }
      set { text.logLevel = newValue }
    }

    var metadata: Logger.Metadata {
      get { text.metadata }
      set { text.metadata = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { text[metadataKey: key] }
      set { text[metadataKey: key] = newValue }
    }

    func log(event: LogEvent) {
      guard LogFormat.current == .json else { return text.log(event: event) }
      let level: LogRecord.Level =
        switch event.level {
        case .trace, .debug: .debug
        case .info, .notice: .info
        case .warning: .warning
        case .error, .critical: .error
        }
      ProcessOutput.report(
        LogRecord(
          level: level, message: "\(event.message)", fields: ["logger": .text(label)]))
    }
  }

  /// Gets whole lines from the handler.
  private struct Stream: TextOutputStream {
    func write(_ text: String) { ProcessOutput.write(log: text.withoutControlCharacters()) }
  }
}
