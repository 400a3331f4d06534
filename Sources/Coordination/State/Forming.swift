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

  var stage: Stage
  /// Nil: since the start of the coordinator.
  var since: Double?
  /// Whether workers can have met the servers of this generation.
  var areServersKnown = false
  /// When the last server was ready.
  var serversReadyAt: Double?
}
