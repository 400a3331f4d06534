import Foundation

/// What people are told while a group of processes runs.
public enum LaunchNotice: Sendable, Equatable {
  case runEnds(ChildResult)
  case tooManyRestarts(ChildResult, RestartPolicy)
  /// A restart would not mend what the process ended of.
  case cannotBeMended(ChildResult)
  /// `delay` in seconds; `count` restarts with this one.
  case restarts(ChildResult, delay: Double, count: Int)
  case goesOnWithout(ChildResult)
  /// A process that gave no sign of life for `silence` seconds is killed.
  case hangs(name: String, silence: Double)
  /// A process that was killed `seconds` ago has not ended; after `limit` it is left alone.
  case lingers(name: String, seconds: Double, limit: Double)
  /// A process could not be started again; `reason` is a sentence.
  case notStarted(name: String, reason: String)
  /// So many notices were not shown since the last one that was.
  case notShown(count: Int)

  init(_ consequence: Supervision.Consequence, of result: ChildResult, policy: RestartPolicy) {
    self =
      switch consequence {
      case .runEnds: .runEnds(result)
      case .tooManyRestarts: .tooManyRestarts(result, policy)
      case .cannotBeMended: .cannotBeMended(result)
      case .restarts(let delay, let count): .restarts(result, delay: delay, count: count)
      case .goesOnWithout: .goesOnWithout(result)
      }
  }

  /// One line for people.
  public var sentence: String {
    switch self {
    case .runEnds(let result): "\(result.sentence); the run is ended"
    case .tooManyRestarts(let result, let policy):
      "\(result.sentence) and has been restarted \(policy.limit) times within "
        + "\(Self.seconds(policy.window)) already; the run is ended"
    case .cannotBeMended(let result):
      "\(result.sentence); it would be the same after another start, the run is ended"
    case .restarts(let result, let delay, let count):
      result.exitCode.isSuccess
        ? "\(result.name) left, but nobody else can do its part; it is restarted in "
          + "\(Self.seconds(delay)) (restart \(count))"
        : "\(result.sentence); it is restarted in \(Self.seconds(delay)) (restart \(count))"
    case .goesOnWithout(let result):
      "\(result.name) was asked to leave and left (\(result.endingText)); the run goes on "
        + "without it"
    case .hangs(let name, let silence):
      "\(name) hangs: no sign of life for \(Self.seconds(silence.rounded())); it is killed"
    case .lingers(let name, let seconds, let limit):
      "\(name) was killed and has not ended for \(Self.seconds(seconds.rounded())): it may wait "
        + "for a disk; it is waited for \(Self.seconds(limit)) at most"
    case .notStarted(let name, let reason): "\(name) could not be restarted: \(reason)"
    case .notShown(let count): "(\(count) more messages about processes were not shown)"
    }
  }

  /// Whether it may be left out when there is too much to tell.
  var isRoutine: Bool {
    switch self {
    case .runEnds, .tooManyRestarts, .cannotBeMended, .notShown: false
    case .restarts, .goesOnWithout, .hangs, .lingers, .notStarted: true
    }
  }

  private static func seconds(_ value: Double) -> String { String(format: "%g s", value) }
}
