import DataPreparation
import Datasets
import Foundation
import Runtime

/// The progress of a command that reads or writes much, and its end when a signal asks for it.
///
/// A new folder or file is removed on the way out, because the error passes through its writer.
final class StageProgress {
  private let signals: SignalPipe
  private let isQuiet: Bool
  private let consequence: String
  private var progress: WorkProgress?
  /// The signal that has arrived.
  private var signal: Int32?

  /// - Parameter consequence: what a stop by a signal means, to follow a semicolon.
  /// - Throws: ``RuntimeError`` if the system refuses a pipe for signals.
  init(isQuiet: Bool, consequence: String = "nothing was written") throws {
    self.consequence = consequence
    signals = try SignalPipe.untilExit()
    self.isQuiet = isQuiet
    progress = WorkProgress(isQuiet: isQuiet)
  }

  /// Runs a preparation, and takes the line of progress away when it ends.
  ///
  /// - Throws: ``RuntimeError`` with the exit code of a signal that has arrived; else what the
  ///   preparation throws.
  func run<Result>(_ preparation: () throws -> Result) throws -> Result {
    defer { progress = nil }
    do {
      return try preparation()
    } catch {
      // A preparation passes the stop on as an error of its own.
      if signal != nil { throw stopped }
      throw error
    }
  }

  /// Takes a report.
  ///
  /// - Parameter share: the share of the stage that is done, from 0 to 1, if it is known.
  /// - Throws: ``RuntimeError`` with the exit code of a signal that has arrived.
  func report(_ stage: String, share: Double?) throws {
    if isStopped { throw stopped }
    progress?.note(stage, share.map { .share($0) } ?? .unknown)
  }

  /// Waits until something has happened elsewhere.
  ///
  /// - Throws: ``RuntimeError`` with the exit code of a signal that has arrived.
  func wait(until isMet: () -> Bool) throws {
    while !isMet() {
      if isStopped { throw stopped }
      usleep(20_000)
    }
  }

  private var isStopped: Bool {
    if signal == nil { signal = signals.next() }
    return signal != nil
  }

  private var stopped: RuntimeError {
    RuntimeError(
      exitCode: .signal(signal ?? 0), message: "Stopped by a signal; \(consequence).")
  }
}

extension StageProgress: ImportObserver {
  func noteProgress(_ position: Int, of size: Int) throws(DatasetError) {
    if isStopped { throw DatasetError(.changed, path: "import", "was stopped") }
    progress?.note("importing", .bytes(position, of: size))
  }

  func notify(_ line: String) {
    if !isQuiet { StandardError.write(line) }
  }

  func warn(_ line: String) { StandardError.write(line) }
}
