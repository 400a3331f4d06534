import Foundation
import Tables

/// The optimizer of a run and its learning rates; servers apply it row by row.
public struct OptimizerConfiguration: Sendable, Equatable {
  /// The update rule, with its constants.
  public enum Kind: Sendable, Equatable {
    /// `w ← w − lr·g`.
    case sgd
    /// `s ← s + g²; w ← w − lr·g / (√s + ε)`.
    ///
    /// - Source: Duchi et al. 2011, in the form of PyTorch's `Adagrad` without decay.
    case adagrad(epsilon: Double = 1e-10)
    /// `m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; w ← w − lr/(1−β₁ᵗ) · m / (√v/√(1−β₂ᵗ) + ε)`.
    ///
    /// - Source: Kingma and Ba 2015, in the form of PyTorch's `Adam` without weight decay; moments
    ///   below the smallest normal number become zero.
    case adam(
      beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, mode: AdamMode = .dense)
  }

  /// The update rule of all tables that follow an optimizer.
  public var kind: Kind
  /// Of the tables of the group `model`.
  public var model: LearningRate
  /// Of the tables of the group `discriminator`.
  public var discriminator: LearningRate

  /// An optimizer; ``validate()`` says whether its numbers can be used.
  public init(kind: Kind, model: LearningRate, discriminator: LearningRate) {
    self.kind = kind
    self.model = model
    self.discriminator = discriminator
  }

  /// The learning rate of a group in an epoch (counted from 0).
  public func learningRate(of group: ParameterGroup, epoch: Int) -> Double {
    switch group {
    case .model: model.rate(epoch: epoch)
    case .discriminator: discriminator.rate(epoch: epoch)
    }
  }
}

/// What Adam does with the rows that a step's gradient does not reach.
public enum AdamMode: String, Sendable, Equatable, CaseIterable {
  /// Every row at every step, as a gradient of zero asks for: the moments decay and still move
  /// the row. What published results use.
  case dense
  /// A row makes up for the steps it missed when it is next read or updated: the bits of `dense`
  /// at a cost that follows the rows in use.
  case lazyExact
  /// Only the rows that the gradient reaches. Cheapest; not comparable with published results.
  case lazy
}

/// `initial · decay^(epoch / period)`.
public struct LearningRate: Sendable, Equatable {
  /// In epoch 0.
  public var initial: Double
  /// What is left of the rate after `period` epochs; 1 keeps it constant.
  public var decay: Double
  /// In epochs.
  public var period: Double

  /// A rate; by default a constant one.
  public init(_ initial: Double, decay: Double = 1, period: Double = 50) {
    self.initial = initial
    self.decay = decay
    self.period = period
  }

  /// The rate in an epoch (counted from 0).
  public func rate(epoch: Int) -> Double { initial * pow(decay, Double(epoch) / period) }
}
