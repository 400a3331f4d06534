import Files
import Foundation

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The log file of a process: appended to at every start, and bounded.
///
/// A file beyond the limit is renamed to `NAME.1`, in place of the one before, and a new one is
/// begun. Writing never delays the caller, and a disk that is full costs lines and nothing else.
///
/// A launcher gives its children their log as stderr, so that it also holds what the runtime writes
/// when a process traps. Then the log only bounds that file, and lines are not written twice.
package final class ProcessLog: Sendable {
  /// The most bytes of a file.
  package static let byteLimit = 64 << 20

  /// nil where stderr is the file.
  private let writer: OutputWriter?
  private let standardError: OutputWriter

  /// Opens the log and writes a line about this start.
  ///
  /// - Parameter name: of this process, such as `server-0`.
  /// - Throws: `FileProblem` if the file cannot be opened.
  package init(
    _ path: String, of name: String, standardError: OutputWriter, byteLimit: Int = byteLimit
  ) throws(FileProblem) {
    let descriptor = try PlainFile.open(path, .append)
    self.standardError = standardError
    var (own, other) = (stat(), stat())
    let isKnown = fstat(descriptor, &own) == 0 && fstat(standardError.descriptor, &other) == 0
    let isStandardError = isKnown && own.st_dev == other.st_dev && own.st_ino == other.st_ino
    if isStandardError { close(descriptor) }
    writer = isStandardError ? nil : OutputWriter(descriptor: descriptor, overflow: .dropsOldest)
    let output = writer ?? standardError
    let size = isKnown ? Int(own.st_size) : 0
    let rotation = LogRotation(path, descriptor: output.descriptor, size: size, limit: byteLimit)
    let warning = isStandardError ? nil : standardError
    output.watchWrites { byteCount, error in
      rotation.wrote(byteCount)
      if let error, rotation.isFirstFailure() {
        let reason = String(cString: strerror(error))
        warning?.write(
          LogFormat.line(
            "warning: cannot write the log '\(path.withoutControlCharacters())': \(reason); the "
              + "run continues, lines of the log are lost"))
      }
    }
    let start = size > 0 ? "starts again; the lines above are of earlier starts" : "starts"
    let process = ProcessInfo.processInfo.processIdentifier
    output.write(Self.stamped("\(name) \(start), process \(process)"))
  }

  /// Adds a line, with the time. Never waits.
  package func note(_ line: String) { writer?.write(Self.stamped(line)) }

  /// Adds lines, each with its newline, as they are. Never waits.
  package func write(_ text: String) { writer?.write(text) }

  /// Waits until everything is written, or has failed.
  ///
  /// - Returns: false if that took longer than `seconds`.
  package func flush(within seconds: Double) -> Bool {
    (writer ?? standardError).flush(within: seconds)
  }

  private static func stamped(_ line: String) -> String {
    if LogFormat.current == .json { return LogFormat.line(line) }
    return "\(Date().ISO8601Format()) \(line.withoutControlCharacters())\n"
  }
}
