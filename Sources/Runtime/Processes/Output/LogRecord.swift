import Files
import Foundation
import Synchronization

/// How lines on stderr and in logs are written.
package enum LogFormat: String, Sendable, CaseIterable {
  /// For a person.
  case text
  /// A JSON object per line: a ``LogRecord``.
  case json

  private struct Present {
    var format = LogFormat.text
    var role = "mrdib"
    var name = ""
  }

  private static let present = Mutex(Present())

  /// The format of this process.
  package static var current: LogFormat { present.withLock { $0.format } }

  /// Sets the format, and as which process this one names itself.
  package static func use(_ format: LogFormat, role: String, name: String) {
    present.withLock { $0 = Present(format: format, role: role, name: name) }
  }

  /// A line for a person in the format of this process, with its line break. In JSON the beginning
  /// `warning: ` or `mrdib: ` becomes the level.
  static func line(_ text: String, level: LogRecord.Level? = nil) -> String {
    guard current == .json else { return text + "\n" }
    let (known, message) = LogRecord.Level.split(text)
    return LogRecord(level: level ?? known, message: message).line
  }

  fileprivate static var identity: (role: String, name: String) {
    present.withLock { ($0.role, $0.name) }
  }
}

/// A line of a log in JSON.
///
///     {"event":"epoch_finished","fields":{"epoch":3,"loss.total":0.41},"level":"info",
///      "message":"epoch 3 is trained","name":"coordinator","role":"coordinator",
///      "time":"2026-11-30T02:26:12.123Z"}
///
/// All keys are always there; `fields` may be empty, and numbers that JSON cannot represent are
/// `null`.
package struct LogRecord: Sendable {
  package enum Level: String, Sendable, Encodable {
    case debug
    case info
    case warning
    case error

    /// Takes the beginning of a line for a person as its level.
    static func split(_ line: String) -> (Level, String) {
      for (beginning, level) in [("warning: ", Level.warning), ("mrdib: ", .error)]
      where line.hasPrefix(beginning) {
        return (level, String(line.dropFirst(beginning.count)))
      }
      return (.info, line.trimmingCharacters(in: .whitespaces))
    }
  }

  package enum Value: Sendable, Equatable, Encodable {
    case text(String)
    case whole(UInt64)
    case number(Double)

    package func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      switch self {
      case .text(let text): try container.encode(text.withoutControlCharacters())
      case .whole(let number): try container.encode(number)
      case .number(let number): try ResultJSON.Number(value: number).encode(to: encoder)
      }
    }
  }

  package var level: Level
  /// What happened, one of a fixed list; `message` for lines that are no event.
  package var event: String
  package var message: String
  package var fields: [String: Value]

  package init(
    level: Level, event: String = "message", message: String, fields: [String: Value] = [:]
  ) {
    self.level = level
    self.event = event
    self.message = message
    self.fields = fields
  }

  /// The object on one line, with its line break.
  package var line: String {
    let (role, name) = LogFormat.identity
    let form = Form(
      time: Date().formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)),
      level: level, role: role, name: name, event: event,
      message: message.withoutControlCharacters(), fields: fields)
    // Strings and numbers can always be encoded.
    let bytes = (try? ResultJSON.encode(form, isPretty: false)) ?? Array("{}\n".utf8)
    return String(decoding: bytes, as: UTF8.self)
  }

  private struct Form: Encodable {
    let time: String
    let level: Level
    let role: String
    let name: String
    let event: String
    let message: String
    let fields: [String: Value]
  }
}
