/// A moment of a run at which a fault hurts most.
package enum Milestone: String, Sendable, CaseIterable {
  /// Nodes are about to be told of a new generation.
  case recovery
  /// A server begins to make or restore its tables.
  case preparation
  /// All servers have written their rows, and the manifest has not been.
  case commit
  /// The coordinator begins to read the best model from the servers.
  case saving
  /// An epoch is recorded.
  case epochEnd
  /// An evaluation is recorded.
  case evaluation
  /// Servers are told to stay where they are, because the run is to stop.
  case stop
}

/// A fault that waits for a milestone.
package struct Ambush: Sendable {
  package var milestone: Milestone
  /// How often the milestone is passed before, by whatever process.
  package var passes: Int
  /// After the milestone, seconds.
  package var delay: Double
  package var fault: Fault

  package init(milestone: Milestone, passes: Int, delay: Double, fault: Fault) {
    self.milestone = milestone
    self.passes = passes
    self.delay = delay
    self.fault = fault
  }
}
