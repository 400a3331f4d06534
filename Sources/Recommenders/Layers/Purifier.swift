import Tensors

/// MGCN's behaviour-guided purifier: gates an item's id vector by the item's features.
///
///     y = Q ⊙ σ( G (W F + b) + g )
///
/// - Source: Yu et al. 2023, arXiv:2308.03588, with the id vector as the gated input, as in MMRec
///   e775373 (`models/mgcn.py`).
struct Purifier: Sendable {
  private let projection: LinearLayer
  private let gate: Gate

  /// Adds the tables `name.projection.*` (features to `width`) and `name.purifier.*`.
  init(_ name: String, featureWidth: Int, width: Int, in list: inout TableList) {
    projection = LinearLayer(
      "\(name).projection", inputs: featureWidth, outputs: width, in: &list)
    gate = Gate("\(name).purifier", width: width, in: &list)
  }

  /// y, `[I, D]`, of id vectors Q `[I, D]` and features F `[I, F]`.
  func apply(
    on tape: Tape, _ ids: Variable, features: Variable, _ parameters: [Variable]
  ) -> Variable {
    gate.apply(
      on: tape, ids, context: projection.apply(on: tape, features, parameters), parameters)
  }
}
