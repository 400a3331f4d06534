import Datasets
import Recommenders
import Tables
import Tensors
import TestSupport

/// The tiny data set of the golden files and a plain optimizer to step through it.
struct TinyData {
  let userCount: Int
  let itemCount: Int
  /// Visual first, as in the golden MRdIB files.
  let features: [FeatureMatrix]
  let batch: TripletBatch

  init() throws {
    let golden = try Golden("tiny")
    userCount = Int(try golden.number("U"))
    itemCount = Int(try golden.number("I"))
    features = try ["visual", "text"].map {
      try FeatureMatrix(name: $0, matrix: golden.matrix($0))
    }
    let triplets = try golden.rows("batch").map { $0.map { Int32($0) } }
    batch = TripletBatch(
      users: triplets.map { $0[0] }, positives: triplets.map { $0[1] },
      negatives: triplets.map { $0[2] }, globalCount: triplets.count)
  }
}

extension TinyData {
  /// The same as a data set to train on, perhaps with other features.
  func dataset(features: [FeatureMatrix]? = nil) throws -> Dataset {
    let golden = try Golden("tiny")
    func pairs(_ split: String) throws -> [(user: Int32, item: Int32)] {
      zip(try golden.integers("\(split)/user"), try golden.integers("\(split)/item")).map {
        (user: $0, item: $1)
      }
    }
    return try Dataset(
      name: "tiny",
      interactions: Interactions(
        train: try pairs("train"), valid: try pairs("valid"), test: try pairs("test")),
      features: features ?? self.features)
  }
}

/// All parameters of a model in plain matrices, `[rows, width]` per table.
struct PlainParameters {
  var tables: [Matrix]

  /// The loss and the gradient of every table; zero where no gradient arrived.
  func gradients(
    _ model: TrainingModel, _ batch: TripletBatch, context: StepContext, on tape: Tape = Tape()
  ) -> (loss: Loss, shares: [String: Double], gradients: [Matrix]) {
    let neighbourhood = model.neighbourhood(of: batch, context: context)
    let selections = model.rows(for: batch, in: neighbourhood)
    let leaves = selections.enumerated().map { table, selection -> Variable in
      switch selection {
      case .none: return tape.constant(Matrix(rows: 0, columns: tables[table].columns))
      case .all: return tape.parameter(tables[table])
      case .listed(let rows):
        let matrix = Matrix(rows: rows.count, columns: tables[table].columns)
        for (position, row) in rows.enumerated() {
          for column in 0..<matrix.columns {
            matrix[position, column] = tables[table][Int(row), column]
          }
        }
        return tape.parameter(matrix)
      }
    }
    let propagated =
      neighbourhood.map { model.propagate(on: tape, in: $0, parameters: leaves) }
      ?? model.propagate(on: tape, parameters: leaves, context: context)
    let loss = model.record(
      on: tape,
      BatchInput(
        batch: batch, neighbourhood: neighbourhood, parameters: leaves, propagated: propagated,
        context: context))
    tape.resolve(tape.reductions.map(\.part))
    tape.backward(from: loss.gradientTerms)
    let full = tables.enumerated().map { table, values in
      let result = Matrix(rows: values.rows, columns: values.columns)
      guard let gradient = leaves[table].gradient else { return result }
      switch selections[table] {
      case .none: break
      case .all: result.copy(from: gradient)
      case .listed(let rows):
        for (position, row) in rows.enumerated() {
          for column in 0..<result.columns {
            result[Int(row), column] = gradient[position, column]
          }
        }
      }
      return result
    }
    return (loss, loss.shares(), full)
  }
}

extension PlainParameters {
  /// The final vectors.
  func finalVectors(_ model: TrainingModel) -> (user: Matrix, item: Matrix) {
    switch model.backbone.final {
    case .tables(let user, let item):
      return (tables[user], tables[item])
    case .rows(let final):
      let count = model.tables[model.finalTable(final.side)].rows
      let computed = final.compute(0..<count, tables)
      return final.side == .user
        ? (computed, tables[final.otherTable]) : (tables[final.otherTable], computed)
    case .whole(let final):
      return final.compute(tables, nil)
    case .layered(let final):
      return final.compute(users: tables[final.tables.user], items: tables[final.tables.item])
    }
  }
}

/// Adam as in PyTorch, one table at a time, in the plainest form.
struct PlainAdam {
  private var moments: [[(Double, Double)]]
  private var step = 0

  init(_ parameters: PlainParameters) {
    moments = parameters.tables.map { Array(repeating: (0, 0), count: $0.count) }
  }

  mutating func update(_ parameters: PlainParameters, _ gradients: [Matrix], rate: Double) {
    step += 1
    for (table, gradient) in gradients.enumerated() {
      for index in 0..<gradient.count {
        let g = Double(gradient.pointer[index])
        let m = 0.9 * moments[table][index].0 + 0.1 * g
        let v = 0.999 * moments[table][index].1 + 0.001 * g * g
        moments[table][index] = (m, v)
        let first = 1 - pow(0.9, step)
        let second = 1 - pow(0.999, step)
        let change = rate / first * m / ((v / second).squareRoot() + 1e-8)
        parameters.tables[table].pointer[index] -= Float(change)
      }
    }
  }

  private func pow(_ base: Double, _ exponent: Int) -> Double {
    (0..<exponent).reduce(1) { product, _ in product * base }
  }
}
