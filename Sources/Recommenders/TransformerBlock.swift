import Tables
import Tensors

/// A transformer block on rows that are sequences of one element each, so that attention gives its
/// only element the weight 1.
///
///     x = s q + W_o (W_v LN₀(s kv) + b_v) + b_o,  s = √D
///     y = LN( x + W₂ ReLU(W₁ LN₁(x) + b₁) + b₂ ),  W₁ `[4 D, D]`
///
/// One head, one layer, no dropout, no positions. In a whole block the maps of queries and keys
/// have a gradient of exactly 0 here, because a soft-max over one element is 1: they are left out.
///
/// - Parameters: matrices Xavier uniform (W_v as a third of a matrix `[3 D, D]` that it forms with
///   the omitted two), biases and shifts 0, gains 1.
/// - Source: Vaswani et al. 2017, arXiv:1706.03762, with the normalisation before each map as in
///   VIRAL's code.
struct TransformerBlock: Sendable {
  private let value: LinearLayer
  private let output: LinearLayer
  private let hidden: LinearLayer
  private let contraction: LinearLayer
  private let inputNorm: LayerNorm
  private let hiddenNorm: LayerNorm
  private let finalNorm: LayerNorm
  private let width: Int

  /// Numbers of the maps of queries and keys that a whole block of this width has.
  static func omittedCount(width: Int) -> Int { 2 * (width * width + width) }

  /// Adds the tables `name.value.*`, `.output.*`, `.hidden.*`, `.contraction.*`, `.input_norm.*`,
  /// `.hidden_norm.*` and `.final_norm.*`, for vectors of one width.
  init(_ name: String, width: Int, in list: inout TableList) {
    self.width = width
    value = LinearLayer(
      "\(name).value", inputs: width, outputs: width,
      weight: .xavierUniform(rows: 3 * width, columns: width), bias: .constant(0), in: &list)
    output = LinearLayer(
      "\(name).output", inputs: width, outputs: width,
      weight: .xavierUniform(rows: width, columns: width), bias: .constant(0), in: &list)
    hidden = LinearLayer(
      "\(name).hidden", inputs: width, outputs: 4 * width,
      weight: .xavierUniform(rows: 4 * width, columns: width), bias: .constant(0), in: &list)
    contraction = LinearLayer(
      "\(name).contraction", inputs: 4 * width, outputs: width,
      weight: .xavierUniform(rows: width, columns: 4 * width), bias: .constant(0), in: &list)
    inputNorm = LayerNorm("\(name).input_norm", width: width, in: &list)
    hiddenNorm = LayerNorm("\(name).hidden_norm", width: width, in: &list)
    finalNorm = LayerNorm("\(name).final_norm", width: width, in: &list)
  }

  /// y, `[J, D]`.
  ///
  /// - Parameters:
  ///   - query: q, `[J, D]`.
  ///   - context: kv, `[J, D]`; nil for the query itself.
  func apply(
    on tape: Tape, _ query: Variable, context: Variable? = nil, _ parameters: [Variable]
  ) -> Variable {
    let scale = Float(width).squareRoot()
    let scaled = tape.sum([(context ?? query, scale)])
    let values = value.apply(on: tape, inputNorm.apply(on: tape, scaled, parameters), parameters)
    let x = tape.sum([(query, scale), (output.apply(on: tape, values, parameters), 1)])
    let activation = tape.relu(
      hidden.apply(on: tape, hiddenNorm.apply(on: tape, x, parameters), parameters))
    let change = contraction.apply(on: tape, activation, parameters)
    return finalNorm.apply(on: tape, tape.add(x, change), parameters)
  }
}

/// A layer norm over the columns, as positions in a model's list of tables; see ``Tape/layerNorm``.
struct LayerNorm: Sendable {
  /// `[1, D]`.
  private let gain: Int
  /// `[1, D]`.
  private let shift: Int

  /// Adds the tables `name.gain`, ones, and `name.shift`, zeros.
  init(_ name: String, width: Int, in list: inout TableList) {
    gain = list.add("\(name).gain", rows: 1, width: width, initializer: .constant(1))
    shift = list.add("\(name).shift", rows: 1, width: width, initializer: .constant(0))
  }

  /// `[J, D]` to `[J, D]`.
  func apply(on tape: Tape, _ x: Variable, _ parameters: [Variable]) -> Variable {
    tape.layerNorm(x, gain: parameters[gain], shift: parameters[shift])
  }
}
