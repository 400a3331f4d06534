import Tensors

extension FinalVectors {
  /// Both sides, for a model whose forward pass computes them.
  ///
  /// - Parameters:
  ///   - forward: records `[U, D]` and `[I, D]` from whole tables; its context is that of
  ///     ``WholeFinalVectors/compute``.
  static func whole(
    width: Int, tables: [Int], isStale: Bool,
    forward: @escaping @Sendable (Tape, [Variable], StepContext?) -> (
      user: Variable, item: Variable
    )
  ) -> FinalVectors {
    .whole(
      WholeFinalVectors(width: width, tables: tables, isStale: isStale) { parameters, context in
        // The tape is not reused, so its matrices can be returned.
        let tape = Tape()
        let final = forward(tape, parameters.map { tape.constant($0) }, context)
        return (final.user.value, final.item.value)
      })
  }
}
