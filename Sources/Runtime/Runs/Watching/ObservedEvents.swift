import Coordinator
import Files

/// The events of a run that an overview has, bounded by kind, so that frequent ones such as
/// checkpoints do not push out the rare ones.
struct ObservedEvents: Sendable {
  private static let limitPerKind = 80

  private(set) var all: [RunOverview.Event] = []

  mutating func add(_ event: RunOverview.Event) {
    all.append(event)
    let same = all.indices.filter { all[$0].kind == event.kind }
    if same.count > Self.limitPerKind { all.remove(at: same[0]) }
    all.removeFirst(max(0, all.count - RunOverview.eventLimit))
  }
}

extension RunOverview.Event {
  /// nil for events that curves and numbers show.
  ///
  /// - Parameters:
  ///   - seconds: since the run began.
  ///   - position: on the axis of the epochs.
  init?(_ event: RunEvent, time: String, at seconds: Double, position: Double) {
    guard let (kind, severity) = event.classification else { return nil }
    var lines = event.warning.map { [$0] } ?? event.news
    if case .stopping(let outcome) = event { lines = [outcome.summary] }
    let text = lines.joined(separator: "; ").trimmed(of: "warning: ")
    self.init(
      time: time, at: seconds, position: position, kind: kind, severity: severity,
      text: text.withoutControlCharacters())
  }
}

extension RunEvent {
  /// The kind of an event and how bad it is; nil for those that curves and numbers show.
  fileprivate var classification: (kind: String, severity: RunOverview.Event.Severity)? {
    switch self {
    case .nodeJoined: ("joined", .info)
    case .nodeRefused: ("refusal", .warning)
    case .nodeLost: ("lost", .warning)
    case .awaitingWorkers, .waiting: ("waiting", .warning)
    case .idleWorkers, .otherKernels: ("notice", .warning)
    case .recovering: ("recovery", .warning)
    case .resumed: ("resumed", .info)
    case .checkpointCommitted: ("checkpoint", .info)
    case .checkpointSearchFailed, .olderCheckpoint, .checkpointFailed, .checkpointOverdue:
      ("checkpoint-problem", .warning)
    case .bestNotSaved: ("notice", .warning)
    case .stopRequested: ("stop", .info)
    case .stopping(let outcome):
      switch outcome.ending {
      case .completed, .earlyStopped: ("end", .good)
      case .interrupted: ("end", .info)
      case .failed: ("end", .error)
      }
    case .clusterFormed, .epochStarted, .progress, .epochFinished, .evaluated, .improved,
      .notImproved, .bestSaved:
      nil
    }
  }
}

extension String {
  /// Without blanks at its ends and a prefix.
  fileprivate func trimmed(of prefix: String) -> String {
    let text = String(drop { $0 == " " })
    return text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : text
  }
}
