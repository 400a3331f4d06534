import Tensors

/// Inverted dropout of the vectors of users or items: a step sets a share ρ of their elements to 0
/// and divides the others by 1 − ρ.
///
/// Which are dropped depends on the step, the view and the id of the user or item, so that every
/// shard drops the same, also of one that a batch has several times. (The references draw for each
/// row of a batch by itself.)
package struct ViewDropout: Sendable {
  /// Fills `[ids.count, D]` with uniform numbers in 0 ..< 1: those below ρ are dropped.
  package typealias Draws =
    @Sendable (_ view: Int, _ side: Side, _ ids: [Int32], _ context: StepContext, Matrix) -> Void

  private let share: Float
  private let draws: Draws

  /// - Parameters:
  ///   - share: ρ.
  ///   - draws: in place of what the run's seed says.
  package init(share: Double, draws: Draws? = nil) {
    self.share = Float(share)
    self.draws = draws ?? Self.counterBased
  }

  /// `drop(x)`, the shape of `x`.
  ///
  /// - Parameters:
  ///   - x: one row per id, `[ids.count, D]`.
  ///   - view: of the model; each has draws of its own.
  func apply(
    on tape: Tape, _ x: Variable, view: Int, _ side: Side, _ ids: [Int32], _ context: StepContext
  ) -> Variable {
    guard share > 0 else { return x }
    let mask = tape.matrix(rows: x.rows, columns: x.columns)
    draws(view, side, ids, context, mask)
    let kept = 1 / (1 - share)
    for index in 0..<mask.count { mask.pointer[index] = mask.pointer[index] < share ? 0 : kept }
    return tape.hadamard(x, tape.constant(mask))
  }

  private static let counterBased: Draws = { view, side, ids, context, target in
    let random = CounterRandom(
      seed: context.seed, stream: .viewDropout, epoch: context.epoch, step: context.step)
    let use = 2 * view + (side == .user ? 0 : 1)
    random.fill(target, ids: ids, firstIndex: use << 16) { $0 }
  }
}
