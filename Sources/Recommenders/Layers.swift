import Tables
import Tensors

/// Collects the tables of a model; each addition returns the table's index.
struct TableList: Sendable {
  private(set) var specs: [TableSpec] = []

  /// Adds a table and returns its index.
  mutating func add(
    _ name: String, rows: Int, width: Int, initializer: Initializer
  ) -> Int {
    specs.append(TableSpec(name: name, rows: rows, width: width, initializer: initializer))
    return specs.count - 1
  }

  /// Adds a table that holds what was last pushed: see `Backbone.averages`.
  mutating func addKept(_ name: String, rows: Int, width: Int) -> Int {
    specs.append(
      TableSpec(
        name: name, rows: rows, width: width, initializer: .constant(0),
        rule: .movingAverage(rate: 1)))
    return specs.count - 1
  }

  /// Adds vectors of users or items, Xavier uniform.
  mutating func addEmbedding(_ name: String, rows: Int, width: Int) -> Int {
    add(
      name, rows: rows, width: width,
      initializer: .xavierUniform(rows: rows, columns: width))
  }
}

/// `y = x Wᵀ + b`, as positions in a model's list of tables.
///
/// Weight and bias are initially uniform in ±1/√inputs, as in PyTorch's linear layer, where a model
/// does not say otherwise.
struct LinearLayer: Sendable {
  /// W, `[outputs, inputs]`.
  let weight: Int
  /// b, `[1, outputs]`.
  let bias: Int

  /// Adds the tables `name.weight` and `name.bias`.
  ///
  /// - Parameters: `weight` and `bias` are initial values in place of those of PyTorch.
  init(
    _ name: String, inputs: Int, outputs: Int, weight: Initializer? = nil,
    bias: Initializer? = nil, in list: inout TableList
  ) {
    let uniform = Initializer.linear(inputs: inputs)
    self.weight = list.add(
      "\(name).weight", rows: outputs, width: inputs, initializer: weight ?? uniform)
    self.bias = list.add(
      "\(name).bias", rows: 1, width: outputs, initializer: bias ?? uniform)
  }

  /// `[J, inputs]` to `[J, outputs]`.
  func apply(on tape: Tape, _ x: Variable, _ parameters: [Variable]) -> Variable {
    tape.linear(x, parameters[weight], bias: parameters[bias])
  }
}

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
