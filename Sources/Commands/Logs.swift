import ForeignText
import Logging
import Runtime
import Synchronization

/// Logs go to stderr.
enum Logs {
  private static let level = Mutex(Logger.Level.info)

  /// Call it once, before anything is logged.
  static func start() {
    LoggingSystem.bootstrap { label in
      var handler = StreamLogHandler(label: label, stream: Stream())
      handler.logLevel = level.withLock { $0 }
      return handler
    }
  }

  /// Shows only what is as important; counts for loggers that are made from now on.
  static func show(from level: Logger.Level) { self.level.withLock { $0 = level } }

  /// A handler writes whole lines.
  private struct Stream: TextOutputStream {
    func write(_ text: String) { ProcessOutput.news.write(text.printable()) }
  }
}
