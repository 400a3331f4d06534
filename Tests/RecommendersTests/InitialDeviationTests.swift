import Datasets
import Foundation
import Recommenders
import Settings
import Tables
import Tensors
import TestSupport
import Testing

/// The scale of the objective's noise before training.
@Suite struct InitialDeviationTests {
  private static let seed: UInt64 = 5

  private func model(_ deviation: InitialDeviation) throws -> TrainingModel {
    let dataset = try TinyData().dataset()
    var objective = SettingValues<MRdIB.Settings>()
    objective.deviation = deviation
    return try ModelRegistry.make(
      "vbpr",
      input: ModelInput(dataset, graphs: GraphStore(dataset: dataset, cacheFolder: nil)),
      settings: SettingStore(embeddingSize: 8, regularization: 0), objective: objective,
      seed: Self.seed)
  }

  private func biases(of model: TrainingModel) -> [Int] {
    model.tables.indices.filter { model.tables[$0].name.hasSuffix("logvar.bias") }
  }

  @Test("a relative deviation is a tenth of the vectors' scale, and a worker pushes it")
  func relative() throws {
    let model = try model(.relative)
    let biases = biases(of: model)
    #expect(biases.count == 2)
    let data = try TinyData()
    for (modality, table) in biases.enumerated() {
      #expect(model.tables[table].initializer == .pushed)
      let values = model.initialValues(
        table: table, rows: 0..<1, seed: Self.seed, itemCount: data.itemCount)
      let scale = contentScale(of: model, modality: modality, in: data)
      #expect(values.elements.count == 8)
      for value in values.elements { #expect(abs(exp(Double(value) / 2) / scale - 0.1) < 1e-5) }
    }
  }

  /// The root mean square of `features · projectionᵀ`, whose columns hold the last modality first.
  private func contentScale(of model: TrainingModel, modality: Int, in data: TinyData) -> Double {
    let weight = model.tables[2]
    let feature = data.features[modality]
    let first = data.features[(modality + 1)...].reduce(0) { $0 + $1.columns }
    var row = [Float](repeating: 0, count: weight.width)
    var squares = 0.0
    for output in 0..<weight.rows {
      row.withUnsafeMutableBufferPointer {
        weight.initializer.fill($0, table: weight.name, row: output, seed: Self.seed)
      }
      for item in 0..<data.itemCount {
        var vector = [Float](repeating: 0, count: feature.columns)
        feature.gather([Int32(item)], into: &vector)
        let mean = zip(vector, row[first...]).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        squares += mean * mean
      }
    }
    return (squares / Double(weight.rows * data.itemCount)).squareRoot()
  }

  @Test("a deviation of one needs no data")
  func unit() throws {
    let model = try model(.unit)
    for table in biases(of: model) {
      #expect(model.tables[table].initializer == .constant(0))
    }
  }
}
