import Coordinator
import Foundation
import Transport

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Writes the lines of ``ProgressView`` to stderr, and all details to the log of this process. Used
/// by one thread.
package final class ProgressReporter {
  private var view: ProgressView
  /// What goes to the log.
  private var record: ProgressView
  private let keepsStatus: Bool
  private let isQuiet: Bool
  private let showsDetails: Bool
  private let writer = ProcessOutput.diagnostics

  /// - Parameter selection: of a run that is resumed, as far as it was evaluated.
  package init(_ plan: ProgressPlan, selection: ModelSelection, detail: ProgressDetail) {
    view = ProgressView(
      style: .onStandardError(isQuiet: detail == .quiet), detail: detail, plan: plan,
      selection: selection)
    keepsStatus = detail != .brief
    isQuiet = [.quiet, .brief].contains(detail)
    showsDetails = detail == .verbose
    record = ProgressView(
      style: .plain(interval: 600), detail: .verbose, plan: plan, selection: selection)
  }

  deinit {
    // The line about the end of one of many runs takes the place of its status.
    if keepsStatus { writer.endStatus() }
  }

  package func handle(_ event: RunEvent, at now: Double = MonotonicClock.seconds) {
    if LogFormat.current == .json {
      guard let record = event.record else { return }
      if isQuiet, record.level == .info {
        ProcessOutput.log?.write(record.line)
      } else {
        ProcessOutput.report(record)
      }
      return
    }
    fitTerminal()
    show(view.handle(event, at: now))
    guard let log = ProcessOutput.log else { return }
    for case .line(let text) in record.handle(event, at: now) { log.note(text) }
  }

  /// Shows what the run waits for at this moment.
  func showWait(
    for what: String, secondsLeft: Double, at now: Double = MonotonicClock.seconds
  ) {
    fitTerminal()
    show(view.showWait(for: what, secondsLeft: secondsLeft, at: now))
  }

  /// Shows a line that only those read who ask for details, and logs it.
  func showDetail(_ line: String) {
    if showsDetails { writer.write(line + "\n") }
    ProcessOutput.log?.note(line)
  }

  private func show(_ outputs: [ProgressView.Output]) {
    for output in outputs {
      switch output {
      case .line(let text): writer.write(text + "\n")
      case .status(let text): writer.show(status: text)
      }
    }
  }

  /// Users change the size of a window.
  private func fitTerminal() {
    if let width = ProgressStyle.terminalWidth(of: writer.descriptor) { view.resize(to: width) }
  }
}

extension ProgressStyle {
  /// How progress is shown on this process's stderr.
  package static func onStandardError(isQuiet: Bool) -> ProgressStyle {
    let descriptor = ProcessOutput.diagnostics.descriptor
    // A program reads the lines.
    if LogFormat.current == .json { return isQuiet ? .quiet : .plain(interval: 30) }
    return choose(
      isTerminal: isatty(descriptor) == 1,
      width: terminalWidth(of: descriptor) ?? usualWidth, isQuiet: isQuiet,
      environment: ProcessInfo.processInfo.environment)
  }

  /// The columns of the terminal that gets results.
  package static var resultsWidth: Int {
    terminalWidth(of: ProcessOutput.results.descriptor) ?? usualWidth
  }

  /// The columns of a terminal; nil where there is none, or it does not know.
  static func terminalWidth(of descriptor: Int32) -> Int? {
    var size = winsize()
    let isKnown = ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    return isKnown ? Int(size.ws_col) : nil
  }
}
