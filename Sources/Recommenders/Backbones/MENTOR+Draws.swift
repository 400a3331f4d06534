import Tensors

extension MENTOR {
  /// Which noise is drawn.
  package struct NoiseDraw: Sendable, Hashable {
    package let modality: Int
    /// Of the two noisy copies, 0 or 1.
    package let copy: Int
    /// 1 or 2.
    package let propagation: Int
  }

  /// The random numbers of a step. They do not depend on its batch or shard: every worker draws the
  /// same.
  package struct Draws: Sendable {
    /// Fills ξ, `[N, d]`, with uniform numbers in 0 ..< 1.
    let noise: @Sendable (NoiseDraw, StepContext, Matrix) -> Void
    /// Fills a mask `[U, M d]` or `[I, M d]` of inverted dropout: 0 with the given probability p,
    /// else 1 / (1 − p).
    let mask: @Sendable (Side, _ share: Float, StepContext, Matrix) -> Void

    package init(
      noise: @escaping @Sendable (NoiseDraw, StepContext, Matrix) -> Void,
      mask: @escaping @Sendable (Side, _ share: Float, StepContext, Matrix) -> Void
    ) {
      self.noise = noise
      self.mask = mask
    }

    /// Numbers by seed, epoch, step, what they are for, row and column.
    package static let counterBased = Draws(
      noise: { draw, context, target in
        let use = (draw.modality * 2 + draw.copy) * 2 + draw.propagation - 1
        random(.propagationNoise, context).fill(target, firstIndex: use << 16) { $0 }
      },
      mask: { side, share, context, target in
        let kept = 1 / (1 - share)
        random(.vectorMask, context).fill(target, firstIndex: side == .user ? 0 : 1 << 16) {
          $0 < share ? 0 : kept
        }
      })

    private static func random(_ stream: RandomStream, _ context: StepContext) -> CounterRandom {
      CounterRandom(
        seed: context.seed, stream: stream, epoch: context.epoch, step: context.step)
    }
  }
}
