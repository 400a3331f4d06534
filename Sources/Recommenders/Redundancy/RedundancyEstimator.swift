import Settings
import Tables
import Tensors

/// Estimates the mutual information between two sets of paired vectors, with a discriminator that
/// is trained against the encoders.
///
/// The discriminator ascends (or fits) while the encoders descend: two objectives on the same
/// network. An estimator therefore records two variables that share no gradient: one that reaches
/// only the encoders and one that reaches only the discriminator.
///
/// A type that conforms and a line in ``EstimatorRegistry`` make an estimator; a program of your
/// own passes the type to its entry point instead.
public protocol RedundancyEstimator: Sendable {
  /// The name in settings, in a–z, 0–9 and _.
  static var name: String { get }
  /// The settings that the estimator reads, its own and those of ``EstimatorSettings``.
  associatedtype Settings: SettingGroup = NoSettings

  init(_ settings: SettingValues<Settings>)

  /// The discriminator's parameters, names prefixed, all in the discriminator group.
  func tables(prefix: String, width: Int) -> [TableSpec]

  /// - Parameters:
  ///   - left, right: paired vectors, `[J, D]`, J ≥ 2.
  ///   - discriminator: the rows of ``tables(prefix:width:)``.
  ///   - shift: marginal pair i is (left_i, right_{(i + shift) mod J}), 1 ≤ shift < J.
  ///   - average: the running mean of e^f, nil before the first step.
  func record(
    on tape: Tape, left: Variable, right: Variable, discriminator: [Variable], shift: Int,
    average: Float?
  ) -> RedundancyTerms

  /// Whether an estimate (nats, a running mean) carries no information, so that the encoders should
  /// ignore it: a lower bound that is negative. By default never.
  func isVacuous(_ estimate: Float) -> Bool
}

extension RedundancyEstimator {
  public func isVacuous(_ estimate: Float) -> Bool { false }
}

/// What an estimator records of a shard.
public struct RedundancyTerms {
  /// What the encoders minimise, nats, `[1, 1]`; no gradient to the discriminator.
  public let estimate: Variable
  /// What the discriminator minimises, `[1, 1]`; no gradient to the encoders. Nil without one.
  public let discriminatorLoss: Variable?
  /// Mean of e^f over marginal pairs, for the running mean. Nil where none is kept.
  public var meanExponential: Float?

  public init(estimate: Variable, discriminatorLoss: Variable?, meanExponential: Float? = nil) {
    self.estimate = estimate
    self.discriminatorLoss = discriminatorLoss
    self.meanExponential = meanExponential
  }
}

extension RedundancyEstimator {
  /// A layer of a discriminator: weight `[outputs, inputs]` and bias `[1, outputs]`.
  public func layer(_ name: String, inputs: Int, outputs: Int) -> [TableSpec] {
    [
      TableSpec(
        name: "\(name).weight", rows: outputs, width: inputs,
        initializer: .xavierNormal(rows: outputs, columns: inputs),
        rule: .optimizer(.discriminator), rowsPerBlock: outputs),
      TableSpec(
        name: "\(name).bias", rows: 1, width: outputs, initializer: .constant(0),
        rule: .optimizer(.discriminator), rowsPerBlock: 1),
    ]
  }
}

extension Tape {
  /// The rows of `x` in a cyclic shift: row i becomes row (i + shift) mod J.
  public func shifted(_ x: Variable, by shift: Int) -> Variable {
    gather(x, (0..<x.rows).map { Int32(($0 + shift) % x.rows) })
  }
}
