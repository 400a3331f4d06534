/// What a coordinator that is started again knows of its run: what the run store holds.
public struct ResumePoint: Sendable, Equatable {
  public var standing: RunStanding
  /// In the order of the epochs.
  public var evaluations: [EvaluationSummary]
  /// The newest version that was committed in the generation of the standing.
  public var newestVersion: UInt64?
  /// The manifest that was committed last, in whatever generation; nil: none ever was.
  public var lastManifest: String?

  public init(
    standing: RunStanding, evaluations: [EvaluationSummary], newestVersion: UInt64? = nil,
    lastManifest: String? = nil
  ) {
    self.standing = standing
    self.evaluations = evaluations
    self.newestVersion = newestVersion
    self.lastManifest = lastManifest
  }

  public init(_ run: StoredRun) {
    let generation = run.standing.generation
    self.init(
      standing: run.standing, evaluations: run.evaluations,
      newestVersion: run.checkpoints.filter { $0.generation == generation }.map(\.version).max(),
      lastManifest: run.checkpoints.max {
        ($0.generation, $0.version) < ($1.generation, $1.version)
      }?.manifest)
  }
}
