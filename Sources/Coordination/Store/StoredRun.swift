/// Everything that a run store holds of its run.
public struct StoredRun: Sendable, Equatable {
  public var identity: RunIdentity
  public var standing: RunStanding
  /// How the run ended, for people; empty while it runs.
  public var message: String
  /// In the order of the epochs.
  public var epochs: [EpochSummary]
  /// In the order of the epochs.
  public var evaluations: [EvaluationSummary]
  /// All that were ever committed, by version and generation. Which of them are still there and
  /// whole only their files can say.
  public var checkpoints: [CommittedCheckpoint]

  public init(
    identity: RunIdentity, standing: RunStanding, message: String, epochs: [EpochSummary],
    evaluations: [EvaluationSummary], checkpoints: [CommittedCheckpoint] = []
  ) {
    self.identity = identity
    self.standing = standing
    self.message = message
    self.epochs = epochs
    self.evaluations = evaluations
    self.checkpoints = checkpoints
  }
}

/// What a run is, from its beginning to its end.
public struct RunIdentity: Sendable, Equatable {
  public var id: String
  /// When the run was started first, as ISO 8601 text.
  public var created: String
  /// The resolved configuration, YAML.
  public var configuration: String
  /// What a continued run must agree with, such as `data` and `configuration`, each a digest.
  public var digests: [String: String]

  public init(id: String, created: String, configuration: String, digests: [String: String]) {
    self.id = id
    self.created = created
    self.configuration = configuration
    self.digests = digests
  }
}
