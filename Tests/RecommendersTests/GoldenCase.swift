import Datasets
import Recommenders
import Tables
import Tensors
import TestSupport
import Testing

/// A model whose numbers the reference toolbox computed on the tiny data set.
struct GoldenCase: Sendable, CustomTestStringConvertible {
  /// A part of the loss: the stored name, and which of our terms make it up.
  struct Part: Sendable {
    let stored: String
    let terms: [String]
    /// The divisor of the stored number.
    var divisor = 1.0
  }

  /// The stored file.
  let file: String
  /// The path of the case in the file; empty for the whole file.
  var folder = ""
  /// The path of the initial parameters, if not in the case.
  var parameters: String?
  /// The path of parameters that are not among ``parameters``.
  var otherParameters: String?
  /// Stored names of the tables, in the model's order.
  let names: [String]
  /// Tables whose gradient is 0 in exact arithmetic: ours must be 0, theirs is rounding noise.
  var withoutGradient: Set<String> = []
  let parts: [Part]
  /// The stored scores that are computed from the parameters after the last step.
  var scoresAfter = "scores_after"
  /// The step of central differences; small for a model with many corners.
  var differenceStep: Float = 1e-2
  /// Whether parts of the loss are constants for the gradient, which central differences move.
  var stopsGradients = false
  /// D of a content vector, where that is not the width of the final vectors.
  var contentWidth: Int?
  let make: @Sendable (TinyData, Golden) throws -> any Backbone

  var testDescription: String { folder.isEmpty ? file : "\(file), \(folder)" }

  func path(_ name: String) -> String { folder.isEmpty ? name : "\(folder)/\(name)" }

  /// The model, its parameters at the start, and the stored numbers.
  func load() throws -> Loaded {
    let data = try TinyData()
    let golden = try Golden(file)
    let model = TrainingModel(
      backbone: try make(data, golden), objective: nil, userCount: data.userCount,
      itemCount: data.itemCount)
    let folder = parameters ?? path("params")
    var tables = try names.map { name in
      let isThere = try golden.names(folder).contains(name)
      return try golden.matrix("\(isThere ? folder : otherParameters ?? folder)/\(name)")
    }
    tables += model.tables[tables.count...].map { Matrix(rows: $0.rows, columns: $0.width) }
    #expect(
      zip(tables, model.tables).allSatisfy { $0.rows == $1.rows && $0.columns == $1.width },
      "\(testDescription): shapes of the tables")
    return Loaded(
      model: model, parameters: PlainParameters(tables: tables), data: data, golden: golden)
  }

  struct Loaded {
    let model: TrainingModel
    let parameters: PlainParameters
    let data: TinyData
    let golden: Golden
    let context = StepContext(seed: 1, epoch: 0, step: 0)

    func gradients() -> (loss: Loss, shares: [String: Double], gradients: [Matrix]) {
      parameters.gradients(model, data.batch, context: context)
    }
  }

  /// Every part of the loss and the gradient of every parameter, at the start.
  func checkGradients() throws {
    let loaded = try load()
    let (_, shares, gradients) = loaded.gradients()
    for part in parts + [Part(stored: "total", terms: ["total"])] {
      let stored = try loaded.golden.number(path("loss/\(part.stored)")) * part.divisor
      let found = part.terms.reduce(0.0) { $0 + (shares[$1] ?? .nan) }
      #expect(abs(found - stored) < 1e-5 * abs(stored), "\(part.stored)")
    }
    for (name, gradient) in zip(names, gradients) {
      guard !withoutGradient.contains(name) else {
        #expect(gradient.elements.allSatisfy { $0 == 0 }, "\(name)")
        continue
      }
      let stored = try loaded.golden.matrix(path("grads/\(name)"))
      #expect(relativeDifference(gradient, stored) < 1e-5, "\(name)")
    }
  }

  /// Losses over the stored Adam steps, the parameters and the scores after them.
  func checkAdam() throws {
    let loaded = try load()
    var optimizer = PlainAdam(loaded.parameters)
    for stored in try loaded.golden.numbers(path("adam/loss_before_step")) {
      let (_, shares, gradients) = loaded.gradients()
      #expect(abs((shares["total"] ?? .nan) - stored) < 1e-5 * stored)
      optimizer.update(loaded.parameters, gradients, rate: 1e-3)
    }
    for (name, table) in zip(names, loaded.parameters.tables)
    where !withoutGradient.contains(name) {
      let stored = try loaded.golden.matrix(path("adam/params/\(name)"))
      #expect(relativeDifference(table, stored) < 1e-5, "\(name)")
    }
    let stored = try loaded.golden.matrix(path("adam/\(scoresAfter)"))
    let users = try loaded.golden.integers(path("ranking/score_users"))
    #expect(relativeDifference(scores(loaded, users: users), stored) < 1e-5)
  }

  /// The final vectors, at the start.
  func checkFinal() throws {
    let loaded = try load()
    let final = loaded.parameters.finalVectors(loaded.model)
    let golden = loaded.golden
    #expect(relativeDifference(final.user, try golden.matrix(path("ranking/user"))) < 1e-5)
    #expect(relativeDifference(final.item, try golden.matrix(path("ranking/item"))) < 1e-5)
  }

  func scores(_ loaded: Loaded, users: [Int32]) -> Matrix {
    let final = loaded.parameters.finalVectors(loaded.model)
    let result = Matrix(rows: users.count, columns: final.item.rows)
    for (row, user) in users.enumerated() {
      for item in 0..<final.item.rows {
        result[row, item] = zip(final.user.row(Int(user)), final.item.row(item))
          .reduce(0) { $0 + $1.0 * $1.1 }
      }
    }
    return result
  }

  /// The gradient of the whole loss against central differences along random directions; the
  /// largest error over tables, relative to the size of the derivative.
  func gradientError() throws -> Double {
    let loaded = try load()
    let step = differenceStep
    let analytic = loaded.gradients().gradients
    var worst = 0.0
    for table in names.indices where !withoutGradient.contains(names[table]) {
      for seed: UInt64 in 0..<3 {
        let original = loaded.parameters.tables[table]
        let direction = randomMatrix(
          original.rows, original.columns, seed: 500 + seed, scale: 0.3)
        func total(_ distance: Float) -> Double {
          var moved = loaded.parameters
          let matrix = Matrix(rows: original.rows, columns: original.columns)
          matrix.copy(from: original)
          BLAS.accumulate(
            direction.pointer, scaledBy: distance, into: matrix.pointer, count: matrix.count)
          moved.tables[table] = matrix
          let shares = moved.gradients(
            loaded.model, loaded.data.batch, context: loaded.context
          ).shares
          return shares["total"] ?? .nan
        }
        let numeric = (total(step) - total(-step)) / (2 * Double(step))
        var products = 0.0
        var size = 0.0
        for (slope, part) in zip(analytic[table].elements, direction.elements) {
          products += Double(slope) * Double(part)
          size += Double(slope) * Double(slope) * Double(part) * Double(part)
        }
        worst = max(worst, abs(numeric - products) / max(size.squareRoot(), 1e-3))
      }
    }
    return worst
  }
}
