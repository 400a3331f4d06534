import Tensors

/// A gate that a context controls: `x ⊙ σ(W c + b)`.
///
/// MGCN and SOIL purify an item's id vector by its features with it; MGCN also weighs each
/// modality's own part by the user's preference.
struct Gate: Sendable {
  private let layer: LinearLayer

  /// Adds the gate's tables, for vectors of one width.
  init(_ name: String, width: Int, in list: inout TableList) {
    layer = LinearLayer(name, inputs: width, outputs: width, in: &list)
  }

  /// - Parameters:
  ///   - x: the gated vectors, `[J, D]`.
  ///   - context: c, the input of the gate, `[J, D]`.
  func apply(
    on tape: Tape, _ x: Variable, context: Variable, _ parameters: [Variable]
  ) -> Variable {
    tape.hadamard(x, tape.sigmoid(layer.apply(on: tape, context, parameters)))
  }
}
