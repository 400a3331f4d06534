/// How far a cluster is that has yet to begin, or to go on.
struct Forming: Sendable, Equatable {
  enum Stage: Sendable, Equatable {
    /// A coordinator that was started again waits for the servers, to learn what they have.
    case gathering
    /// The shell looks for the checkpoint that the generation begins with.
    case findingCheckpoint
    /// Nodes are told what the generation begins with, and set themselves up.
    case settingUp
  }

  /// Why the latest search for a checkpoint came to nothing.
  enum SearchProblem: Sendable, Equatable {
    /// The disk could not be read; the sentence says why.
    case unreadable(String)
    /// There is no checkpoint, and by the records there were some.
    case missing
  }

  var stage: Stage
  /// Nil: since the start of the coordinator.
  var since: Double?
  /// Whether workers can have met the servers of this generation.
  var areServersKnown = false
  var searchProblem: SearchProblem?
  /// When to look for a checkpoint again.
  var searchAgainAt: Double?
  /// When the last server was ready.
  var serversReadyAt: Double?
}
