/// What a coordinator that is started again knows of its run: what the run store holds.
public struct ResumePoint: Sendable, Equatable {
  public var standing: RunStanding
  /// In the order of the epochs.
  public var evaluations: [EvaluationSummary]
  /// The newest version that was committed in the generation of the standing.
  public var newestVersion: UInt64?

  public init(
    standing: RunStanding, evaluations: [EvaluationSummary], newestVersion: UInt64? = nil
  ) {
    self.standing = standing
    self.evaluations = evaluations
    self.newestVersion = newestVersion
  }

  public init(_ run: StoredRun) {
    let generation = run.standing.generation
    self.init(
      standing: run.standing, evaluations: run.evaluations,
      newestVersion: run.checkpoints.filter { $0.generation == generation }.map(\.version).max())
  }
}
