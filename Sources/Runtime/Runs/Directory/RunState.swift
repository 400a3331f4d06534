import Coordinator
import Files

/// What a run does, or how it ended: the same words in `mrdib status`, in `mrdib runs`, on the page
/// and in the metrics.
package enum RunState: String, Sendable, Equatable, Codable, CaseIterable {
  /// Waits for workers and servers.
  case forming
  case training
  case evaluating
  /// Writes the best model.
  case saving
  /// Waits for a last checkpoint.
  case draining
  /// From files: a process owns the run, and which phase it is in is not known.
  case running
  /// From files: the run has not ended, and no process owns it: it was killed, or its machine is
  /// gone. The same command resumes it.
  case dead
  case completed
  case earlyStopped = "early_stopped"
  /// Stopped in an orderly way; the same command resumes it.
  case interrupted
  case failed

  /// The states that the files of a run can show.
  package static let ofFiles: [RunState] = [
    .running, .dead, .completed, .earlyStopped, .interrupted, .failed,
  ]

  /// The states that a coordinator can be in.
  static let ofCoordinator: [RunState] = [
    .forming, .training, .evaluating, .saving, .draining, .completed, .earlyStopped, .interrupted,
    .failed,
  ]

  /// Whether nothing will change any more unless the run is started again.
  package var isOver: Bool {
    switch self {
    case .forming, .training, .evaluating, .saving, .draining, .running: false
    case .dead, .completed, .earlyStopped, .interrupted, .failed: true
    }
  }

  /// Whether it was trained to its end.
  var isFinished: Bool { self == .completed || self == .earlyStopped }

  /// In words.
  package var words: String {
    switch self {
    case .forming: "waiting for the cluster"
    case .training: "training"
    case .evaluating: "evaluating"
    case .saving: "saving the best model"
    case .draining: "stopping"
    case .running: "running (a process owns it)"
    case .dead: "not running, and not ended: the same command resumes it"
    case .completed: "done"
    case .earlyStopped: "done, stopped early"
    case .interrupted: "stopped, can be resumed"
    case .failed: "failed"
    }
  }
}

extension RunState {
  /// How a run ended; nil while it has not.
  init?(ended status: RunStatus) {
    switch status {
    case .forming, .running: return nil
    case .completed: self = .completed
    case .earlyStopped: self = .earlyStopped
    case .interrupted: self = .interrupted
    case .failed: self = .failed
    }
  }

  init(_ snapshot: RunSnapshot) {
    switch snapshot.phase {
    case .forming: self = .forming
    case .training: self = .training
    case .evaluating: self = .evaluating
    case .saving: self = .saving
    case .draining: self = .draining
    case .ended: self = snapshot.status.flatMap { RunState(ended: $0) } ?? .draining
    }
  }

  /// What the files of a run show.
  ///
  /// - Parameters:
  ///   - folder: of the run.
  ///   - ended: how it ended by its records; nil if it has not since its last start.
  package init(inFolder folder: String, ended: RunState?) {
    if RunLockHolder(of: folder) != .none {
      // What ended is an earlier start.
      self = .running
    } else if let ended {
      // Of a sweep under way, too: its process holds a lock for all its runs.
      self = ended
    } else {
      self = RunLockHolder(ofRunIn: folder) != .none ? .running : .dead
    }
  }
}
