import DataPreparation
import Runtime
import Transport

/// The progress of a command that prepares a data set: a line on stderr when a stage has taken a
/// while, and the end of the command when a signal asks for it.
///
/// The command's folder is removed on the way out, because the error passes through its writer.
final class StageProgress {
  private static let silence = 5.0

  private let signals: SignalPipe
  private let isQuiet: Bool
  private var lastLine = MonotonicClock.seconds

  /// - Throws: ``RuntimeError`` if the system refuses a pipe for signals.
  init(isQuiet: Bool) throws {
    signals = try SignalPipe.untilExit()
    self.isQuiet = isQuiet
  }

  /// Takes a report.
  ///
  /// - Parameter share: the share of the stage that is done, from 0 to 1, if it is known.
  /// - Throws: ``RuntimeError`` with the exit code of a signal that has arrived.
  func report(_ stage: String, share: Double?) throws {
    if let signal = signals.next() {
      throw RuntimeError(
        exitCode: .signal(signal), message: "Stopped by a signal; nothing was written.")
    }
    let now = MonotonicClock.seconds
    guard !isQuiet, now - lastLine >= Self.silence else { return }
    lastLine = now
    StandardError.write(stage + (share.map { ": \(Int($0 * 100)) %" } ?? ""))
  }
}
