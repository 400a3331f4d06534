import Foundation
import Tables

/// The optimizer of a run and its learning rates; servers apply it row by row.
package struct OptimizerConfiguration: Sendable {
  /// The update rule of all tables that follow an optimizer, with its constants.
  package var rule: any RowOptimizer
  /// The rate for tables of the group `model`.
  package var model: LearningRate
  /// The rate for tables of the group `discriminator`.
  package var discriminator: LearningRate
  /// How servers store what the rule keeps for every weight.
  package var moments: MomentPrecision
  /// After how many epochs without a gradient a row returns to its initial value; 0: never.
  package var expiryEpochs: Int

  /// An optimizer whose numbers are not checked yet; see ``validate()``.
  package init(
    _ rule: any RowOptimizer, model: LearningRate, discriminator: LearningRate,
    moments: MomentPrecision = .float32, expiryEpochs: Int = 0
  ) {
    self.rule = rule
    self.model = model
    self.discriminator = discriminator
    self.moments = moments
    self.expiryEpochs = expiryEpochs
  }

  /// The optimizer's name and states, as checkpoints record them.
  package var description: OptimizerDescription {
    let kept = rule.description
    return OptimizerDescription(
      name: kept.name, states: kept.states.map { $0.stored(in: moments) },
      tracksUpdates: kept.tracksUpdates || expiryEpochs > 0)
  }

  /// The learning rate of a group in an epoch (counted from 0).
  package func learningRate(of group: ParameterGroup, epoch: Int) -> Double {
    switch group {
    case .model: model.rate(epoch: epoch)
    case .discriminator: discriminator.rate(epoch: epoch)
    }
  }

  /// Checks that every number is in the range for which the update rule is defined.
  ///
  /// - Throws: ``ParameterServerError`` with code `configuration` that names the number.
  package func validate() throws(ParameterServerError) {
    try model.validate(group: "model")
    try discriminator.validate(group: "discriminator")
    try rule.validate()
    if moments == .bfloat16, let obstacle = rule.roundingObstacle {
      throw ParameterServerError(
        .configuration,
        """
        moment_precision bfloat16 cannot be used with the optimizer '\(rule.description.name)' as \
        it is set: \(obstacle). Choose adam with adam_mode closed, adagrad, or moment_precision \
        float32.
        """)
    }
    guard expiryEpochs == 0 || !rule.touchesAllRows else {
      throw ParameterServerError(
        .configuration,
        """
        expiry_epochs cannot be used with the optimizer '\(rule.description.name)' as it is set: \
        every step, or every read, touches all rows. Choose adam_mode closed or lazy, another \
        optimizer, or expiry_epochs 0.
        """)
    }
  }
}

/// `initial · decay^(epoch / period)`.
package struct LearningRate: Sendable, Equatable {
  /// The rate in epoch 0.
  package var initial: Double
  /// The factor by which `period` epochs change the rate; 1 keeps it constant.
  package var decay: Double
  /// In epochs.
  package var period: Double

  /// A rate; by default a constant one.
  package init(_ initial: Double, decay: Double = 1, period: Double = 50) {
    self.initial = initial
    self.decay = decay
    self.period = period
  }

  /// The rate in an epoch (counted from 0).
  package func rate(epoch: Int) -> Double { initial * pow(decay, Double(epoch) / period) }

  fileprivate func validate(group: String) throws(ParameterServerError) {
    guard
      initial.isFinite, initial >= 0, decay.isFinite, decay > 0, period.isFinite, period > 0
    else {
      throw ParameterServerError(
        .configuration,
        """
        The learning rate of the group '\(group)' is \(initial) · \(decay)^(epoch / \(period)): \
        the rate must not be negative, and decay and period must be positive.
        """)
    }
  }
}

extension RowOptimizer {
  /// Whether the number of a row's last update is not that of its last gradient.
  fileprivate var touchesAllRows: Bool { [.moveAtOnce, .moveWhenUsed].contains(untouchedRows) }

  /// Why its states cannot be stored in bfloat16, as a clause; nil if they can.
  fileprivate var roundingObstacle: String? {
    if states.isEmpty { return "it keeps no state" }
    if states.contains(where: { $0.extent == .onePerRow }) {
      return "it keeps one number per row, so that there is nothing to save"
    }
    switch untouchedRows {
    case .stay, .moveWhenUpdated: return nil
    case .moveAtOnce: return "every step would round the states of every row"
    case .moveWhenUsed: return "every replayed step would round the states again"
    }
  }
}
