import Tables
import Tensors

/// `y = x Wᵀ + b`, as positions in a model's list of tables.
///
/// Weight and bias are initially uniform in ±1/√inputs, as in PyTorch's linear layer.
struct LinearLayer: Sendable {
  /// W, `[outputs, inputs]`.
  let weight: Int
  /// b, `[1, outputs]`.
  let bias: Int

  /// Adds the tables `name.weight` and `name.bias`.
  init(_ name: String, inputs: Int, outputs: Int, in list: inout TableList) {
    weight = list.add(
      "\(name).weight", rows: outputs, width: inputs, initializer: .linear(inputs: inputs))
    bias = list.add(
      "\(name).bias", rows: 1, width: outputs, initializer: .linear(inputs: inputs))
  }

  /// `[J, inputs]` to `[J, outputs]`.
  func apply(on tape: Tape, _ x: Variable, _ parameters: [Variable]) -> Variable {
    tape.linear(x, parameters[weight], bias: parameters[bias])
  }
}
