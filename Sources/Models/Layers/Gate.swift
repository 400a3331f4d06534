internal import Autodiff

/// Lets through what a context asks for: `x ⊙ σ(W c + b)`.
///
/// MGCN and SOIL purify modality features by the item's behaviour with it; MGCN also weighs each
/// modality's own part by the user's preference.
struct Gate: Sendable {
  private let layer: LinearLayer

  /// Adds the gate's tables, for vectors of one width.
  init(_ name: String, width: Int, in list: inout TableList) {
    layer = LinearLayer(name, inputs: width, outputs: width, in: &list)
  }

  /// - Parameters:
  ///   - x: what passes, `[J, D]`.
  ///   - context: c, what decides, `[J, D]`.
  func apply(
    on tape: Tape, _ x: Variable, context: Variable, _ parameters: [Variable]
  ) -> Variable {
    tape.hadamard(x, tape.sigmoid(layer.apply(on: tape, context, parameters)))
  }
}
