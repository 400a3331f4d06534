/// A rule of the protocol that is broken on purpose, in transit, to show that the simulation
/// notices.
package enum Mutation: String, Sendable, CaseIterable {
  /// A gradient that arrives twice counts twice: the second time it is taken for one to the version
  /// that the server has by then.
  case repeatedPushesCount = "repeated-pushes-count"
  /// Servers answer one version too early: whoever has to wait is taken for one who asks for the
  /// version before.
  case earlyAnswers = "early-answers"
  /// Workers confirm their shards before the servers have acknowledged them.
  case earlyConfirmation = "early-confirmation"
  /// Servers take messages of earlier generations for their own.
  case noGenerations = "no-generations"
  /// Nodes obey every coordinator, and the store takes what any of them records.
  case noTerms = "no-terms"
  /// Servers say that their rows are on disk before they are, and nobody looks.
  case incompleteCheckpoints = "incomplete-checkpoints"
}
