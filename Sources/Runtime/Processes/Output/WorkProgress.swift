import Foundation
import Transport

/// How far a command has got with its files, on stderr: a line that is rewritten on a terminal,
/// else a line every half minute. Used by one thread.
///
/// Training has a line of its own (``ProgressView``), because it is reported by several processes.
package final class WorkProgress {
  private var view: WorkProgressView
  private let writer = ProcessOutput.diagnostics

  package init(isQuiet: Bool) {
    view = WorkProgressView(
      style: .onStandardError(isQuiet: isQuiet), start: MonotonicClock.seconds)
  }

  deinit { writer.endStatus() }

  /// - Parameters:
  ///   - stage: what the command does, such as `importing`.
  ///   - amount: how much of the stage is done.
  package func note(_ stage: String, _ amount: WorkProgressView.Amount) {
    guard let line = view.line(stage, amount, at: MonotonicClock.seconds) else { return }
    switch view.style {
    case .rewriting: writer.show(status: line)
    case .plain: writer.write(LogFormat.line(line))
    case .quiet: break
    }
  }
}

/// Decides when progress is shown and how, as a value.
package struct WorkProgressView: Sendable {
  /// How much of a stage is done.
  package enum Amount: Sendable {
    case unknown
    /// From 0 to 1.
    case share(Double)
    case bytes(Int, of: Int)
  }

  /// Seconds between two states of a line that is rewritten.
  private static let rewritingInterval = 0.2

  let style: ProgressStyle
  private var stage = ""
  private var stageStart: Double
  private var last: Double

  /// - Parameter start: now, in seconds of a clock that does not run backwards.
  package init(style: ProgressStyle, start: Double) {
    (self.style, stageStart, last) = (style, start, start)
  }

  /// - Returns: the line to show; nil if it is too early for one.
  package mutating func line(_ stage: String, _ amount: Amount, at now: Double) -> String? {
    if stage != self.stage {
      // A rate is that of one stage.
      if !self.stage.isEmpty { stageStart = now }
      self.stage = stage
    }
    let interval: Double
    var width = Int.max
    switch style {
    case .quiet: return nil
    case .rewriting: (interval, width) = (Self.rewritingInterval, style.lineLimit)
    case .plain(let seconds): interval = seconds
    }
    guard now - last >= interval else { return nil }
    last = now
    return String("\(stage)\(words(amount, elapsed: now - stageStart))".prefix(width))
  }

  private func words(_ amount: Amount, elapsed: Double) -> String {
    let share: Double
    var size = ""
    var rate = ""
    switch amount {
    case .bytes(let done, let all) where all > 0:
      share = Double(done) / Double(all)
      size = String(format: "%.0f of %.0f MB ", Double(done) / 1e6, Double(all) / 1e6)
      if elapsed > 0 { rate = String(format: ", %.1f MB/s", Double(done) / 1e6 / elapsed) }
    case .share(let done): share = done
    case .bytes, .unknown: return ""
    }
    let known = share.isFinite ? min(max(share, 0), 1) : 0
    let percent = String(format: "%.0f %%", 100 * known)
    let left = known > 0 ? ProgressFormat.duration(elapsed / known - elapsed) : "?"
    return ": \(size.isEmpty ? percent : "\(size)(\(percent))")\(rate), \(left) left"
  }
}
