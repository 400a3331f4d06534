/// Who updates a table and how.
public enum UpdateRule: Sendable, Equatable {
  /// The run's optimizer, at the learning rate of a group.
  case optimizer(ParameterGroup)
  /// `w ← (1 − rate)·w + rate·g`, where g is the pushed value; the first push sets `w = g`.
  /// Running statistics (of the discriminator, say) live on the servers this way, so that they
  /// survive with the parameters and do not depend on which worker computed them.
  case movingAverage(rate: Float)
  /// Written whole by `assign` pushes: final matrices and the like. Never updated by a step.
  case assigned
}

/// Parameters that share a learning rate and are updated in the same rounds of a step.
public enum ParameterGroup: UInt8, Sendable, Equatable, CaseIterable {
  /// The backbone and the encoders: descends the training loss once per step.
  case model = 0
  /// The discriminator: climbs its bound in every round of a step.
  case discriminator = 1
}
