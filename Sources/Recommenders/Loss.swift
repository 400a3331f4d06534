import Tensors

/// One part of a shard's training loss.
///
/// The loss of a step is `Σ_shards Σ_terms weight · share · value`. Three kinds of terms occur:
///
/// | kind | share | gradient weight |
/// |---|---|---|
/// | a sum over triplets divided by the step's triplet count: shards add up | 1 | weight |
/// | an estimate from the shard alone, averaged by shard size | n_k / n | weight · n_k / n |
/// | a value of the whole step, known through a reduction | n_k / n | weight |
public struct LossTerm {
  public let name: String
  /// `[1, 1]`.
  public let variable: Variable
  /// The term's factor in the loss; 0 for a term that is reported and trained, but not part of it.
  public let weight: Float
  /// The shard's share when values are added over shards.
  public let share: Float
  /// The factor of this shard's gradient.
  public let gradientWeight: Float
  /// Whether the term is there to help the others: its gradient passes ``Loss/gate``.
  public private(set) var isAuxiliary = false

  /// The same term as an auxiliary one.
  public func asAuxiliary() -> LossTerm {
    var term = self
    term.isAuxiliary = true
    return term
  }

  /// A term that adds up over shards.
  public static func additive(_ name: String, _ variable: Variable, weight: Float) -> LossTerm {
    LossTerm(
      name: name, variable: variable, weight: weight, share: 1, gradientWeight: weight)
  }

  /// A term that is estimated per shard and averaged by shard size.
  ///
  /// `gradientWeight` differs from `weight` where the term is switched off for a while or trains
  /// something that the loss does not count.
  public static func estimated(
    _ name: String, _ variable: Variable, weight: Float, share: Float,
    gradientWeight: Float? = nil
  ) -> LossTerm {
    LossTerm(
      name: name, variable: variable, weight: weight, share: share,
      gradientWeight: (gradientWeight ?? weight) * share)
  }

  /// A term of the whole step that every shard knows through a reduction.
  public static func reduced(
    _ name: String, _ variable: Variable, weight: Float, share: Float
  ) -> LossTerm {
    LossTerm(
      name: name, variable: variable, weight: weight, share: share, gradientWeight: weight)
  }
}

/// What a model records for one shard of a step.
public struct Loss {
  public var terms: [LossTerm]
  /// Diagnostics of the shard (mean σ, estimated mutual information …), already multiplied by the
  /// shard's share, so that the sum over shards is the step's mean.
  public var statistics: [String: Double]
  /// This shard's share of the running averages that servers keep, by table index.
  public var averages: [Int: Matrix]
  /// What keeps the gradients of auxiliary terms from overruling those of the others; nil adds them
  /// all.
  public var gate: AuxiliaryGate?

  public init(
    terms: [LossTerm], statistics: [String: Double] = [:], averages: [Int: Matrix] = [:]
  ) {
    self.terms = terms
    self.statistics = statistics
    self.averages = averages
    gate = nil
  }

  /// The terms that ``Tape/backward(from:)`` starts from.
  public var gradientTerms: [(variable: Variable, weight: Float)] {
    terms.filter { $0.gradientWeight != 0 }.map { ($0.variable, $0.gradientWeight) }
  }

  /// This shard's share of the loss and of each part, valid once reductions are resolved. Parts of
  /// the same name are added.
  public func shares() -> [String: Double] {
    var result = ["total": 0.0]
    for term in terms {
      let share = Double(term.variable.scalar) * Double(term.share)
      result[term.name, default: 0] += share
      result["total", default: 0] += share * Double(term.weight)
    }
    return result
  }
}

/// A limit on what auxiliary terms may change.
///
/// For every tensor that main and auxiliary terms share, let g be the gradient of the main terms
/// and a that of the auxiliary ones. Where ⟨a, g⟩ < 0, a loses its component along g; then it is
/// shortened to at most ρ‖g‖. Tensors that the main terms do not touch are not gated.
public struct AuxiliaryGate {
  /// ρ; 0 is training without the auxiliary terms, infinity only removes conflicts.
  public let limit: Float
  /// Variables at which both gradients are formed and gated, besides the parameters and propagated
  /// matrices; what they were computed from receives the gated gradient.
  public let boundary: [Variable]

  public init(limit: Float, boundary: [Variable]) {
    self.limit = limit
    self.boundary = boundary
  }
}
