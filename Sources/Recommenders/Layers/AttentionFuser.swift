import Tables
import Tensors

/// The shared part of a node's modalities: a combination of its views, with weights computed from
/// the views themselves.
///
///     q(z) = aᵀ tanh(W z + b),  β = softmax_m( q(z_m) ),  S = Σ_m β_m z_m
///
/// W, b and a are shared by all modalities; the softmax runs over as many as there are.
struct AttentionFuser: Sendable {
  private let hidden: LinearLayer
  /// a, `[1, D]`.
  private let query: Int

  /// Adds the fuser's tables, for views of one width.
  init(_ name: String, width: Int, in list: inout TableList) {
    hidden = LinearLayer("\(name).hidden", inputs: width, outputs: width, in: &list)
    query = list.add(
      "\(name).query", rows: 1, width: width, initializer: .linear(inputs: width))
  }

  /// S, `[J, D]`, of views `[J, D]`.
  func apply(on tape: Tape, _ views: [Variable], _ parameters: [Variable]) -> Variable {
    let scores = views.map { view in
      let activation = tape.tanhCap(hidden.apply(on: tape, view, parameters), 1)
      return tape.linear(activation, parameters[query])
    }
    return tape.softmaxFusion(views, scores: scores)
  }
}
