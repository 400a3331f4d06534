import Tables

/// The relation between versions of the tables, rounds, steps and epochs.
///
/// Round `v % roundsPerStep` of step `v / roundsPerStep` is computed from version v. A step has one
/// round, or several if the discriminator is updated more than once per step: every round updates
/// the discriminator and the running statistics, the last round also the model.
package struct StepSchedule: Sendable, Equatable {
  /// Steps (batches) per epoch.
  package let stepsPerEpoch: Int
  /// Rounds (versions) per step.
  package let roundsPerStep: Int

  /// The schedule of a run.
  ///
  /// - Precondition: both are positive and fit into 32 bits.
  package init(stepsPerEpoch: Int, roundsPerStep: Int = 1) {
    precondition(
      (1...Int(UInt32.max)).contains(stepsPerEpoch)
        && (1...Int(UInt32.max)).contains(roundsPerStep),
      "\(stepsPerEpoch) steps per epoch, \(roundsPerStep) rounds per step")
    self.stepsPerEpoch = stepsPerEpoch
    self.roundsPerStep = roundsPerStep
  }

  /// The step that a version belongs to, from 0.
  package func step(ofVersion version: UInt64) -> UInt64 { version / UInt64(roundsPerStep) }

  /// The round of its step that a version is, from 0.
  package func round(ofVersion version: UInt64) -> Int { Int(version % UInt64(roundsPerStep)) }

  /// The epoch that a version belongs to, from 0.
  package func epoch(ofVersion version: UInt64) -> Int {
    Int(step(ofVersion: version) / UInt64(stepsPerEpoch))
  }

  /// Versions per epoch.
  package var versionsPerEpoch: UInt64 { UInt64(stepsPerEpoch) * UInt64(roundsPerStep) }

  /// The first version of the epoch that a version belongs to.
  package func firstVersion(ofEpochOf version: UInt64) -> UInt64 {
    version - version % versionsPerEpoch
  }

  /// Whether a version is the first of its epoch.
  package func beginsEpoch(_ version: UInt64) -> Bool { version % versionsPerEpoch == 0 }

  /// Whether an epoch ends with the update that makes a version.
  package func endsEpoch(beforeVersion version: UInt64) -> Bool {
    version > 0 && beginsEpoch(version)
  }

  /// Whether the update that ends a version also ends its step.
  package func endsStep(_ version: UInt64) -> Bool {
    round(ofVersion: version) == roundsPerStep - 1
  }

  /// Whether the update that ends a version changes tables of this rule.
  package func updates(_ rule: UpdateRule, atEndOf version: UInt64) -> Bool {
    switch rule {
    case .optimizer(.model): endsStep(version)
    case .optimizer(.discriminator), .movingAverage: true
    case .assigned: false
    }
  }

  /// The number of updates of a group before a version.
  package func updateCount(of group: ParameterGroup, beforeVersion version: UInt64) -> Int {
    switch group {
    case .model: Int(step(ofVersion: version))
    case .discriminator: Int(version)
    }
  }
}
