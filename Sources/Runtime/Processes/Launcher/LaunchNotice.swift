import Foundation

/// A message to the user while a group of processes runs.
package enum LaunchNotice: Sendable, Equatable {
  case runEnds(ChildResult)
  case tooManyRestarts(ChildResult, RestartPolicy)
  /// The process would fail again in the same way.
  case failsAgain(ChildResult)
  /// `delay` in seconds; `count` restarts including this one.
  case restarts(ChildResult, delay: Double, count: Int)
  case continuesWithout(ChildResult)
  /// A process that sent no life sign for `silence` seconds is killed.
  case hangs(name: String, silence: Double)
  /// A process that was killed `seconds` ago has not ended; after `limit` the launcher stops
  /// waiting.
  case lingers(name: String, seconds: Double, limit: Double)
  /// A process could not be restarted; `reason` is a sentence.
  case notStarted(name: String, reason: String)
  /// This many notices were suppressed since the last one.
  case notShown(count: Int)

  init(_ consequence: Supervision.Consequence, of result: ChildResult, policy: RestartPolicy) {
    self =
      switch consequence {
      case .runEnds: .runEnds(result)
      case .tooManyRestarts: .tooManyRestarts(result, policy)
      case .failsAgain: .failsAgain(result)
      case .restarts(let delay, let count): .restarts(result, delay: delay, count: count)
      case .continuesWithout: .continuesWithout(result)
      }
  }

  /// The message as one line.
  package var sentence: String {
    switch self {
    case .runEnds(let result): "\(result.sentence); ending the run"
    case .tooManyRestarts(let result, let policy):
      "\(result.sentence) and was already restarted \(Self.times(policy.limit)) within "
        + "\(Self.seconds(policy.window)); ending the run"
    case .failsAgain(let result):
      "\(result.sentence); a restart would fail in the same way, so the run ends"
    case .restarts(let result, let delay, let count):
      result.exitCode.isSuccess
        ? "\(result.name) left the run, but no other process has its role; restarting it in "
          + "\(Self.seconds(delay)) (restart \(count))"
        : "\(result.sentence); restarting it in \(Self.seconds(delay)) (restart \(count))"
    case .continuesWithout(let result):
      "\(result.name) was asked to leave and left (\(result.endingText)); the run continues "
        + "without it"
    case .hangs(let name, let silence):
      "\(name) hangs: no life sign for \(Self.seconds(silence.rounded())); killing it"
    case .lingers(let name, let seconds, let limit):
      "\(name) was killed \(Self.seconds(seconds.rounded())) ago and has not ended: it may be "
        + "waiting for a disk; the launcher waits \(Self.seconds(limit)) at most"
    case .notStarted(let name, let reason): "\(name) could not be restarted: \(reason)"
    case .notShown(let count):
      "(\(ProgressFormat.count(count, "more message")) about processes not shown)"
    }
  }

  private static func times(_ count: Int) -> String { ProgressFormat.count(count, "time") }

  /// Whether it may be suppressed when there are too many notices.
  var isRoutine: Bool {
    switch self {
    case .runEnds, .tooManyRestarts, .failsAgain, .notShown: false
    case .restarts, .continuesWithout, .hangs, .lingers, .notStarted: true
    }
  }

  private static func seconds(_ value: Double) -> String { String(format: "%g s", value) }
}

/// Limits the rate of notices, so that many failing processes do not flood the terminal: a burst at
/// once, then a constant rate. A value.
package struct NoticeLimit: Sendable, Equatable {
  private let burst: Double
  private let rate: Double
  private var budget: Double
  private var filledAt: Double
  private var hiddenCount = 0

  /// - Parameters:
  ///   - burst: notices at once.
  ///   - rate: notices per second in the long run.
  ///   - now: seconds on a monotonic clock.
  package init(burst: Double = 20, rate: Double = 1, at now: Double) {
    self.burst = burst
    self.rate = rate
    budget = burst
    filledAt = now
  }

  /// The notices to show for a new one: none, or the notice, preceded by the number of suppressed
  /// ones.
  package mutating func admit(_ notice: LaunchNotice, at now: Double) -> [LaunchNotice] {
    budget = min(burst, budget + (now - filledAt) * rate)
    filledAt = now
    if notice.isRoutine {
      guard budget >= 1 else {
        hiddenCount += 1
        return []
      }
      budget -= 1
    }
    let hidden = hiddenCount
    hiddenCount = 0
    return (hidden > 0 ? [.notShown(count: hidden)] : []) + [notice]
  }
}
