import Datasets
import Foundation
import Recommenders
import Settings
import Tables
import Tensors
import TestSupport
import Testing

/// MGCN, SOIL, SMORE and PGL built as in a run: from a data set, by name.
@Suite struct MultiViewRegistryTests {
  /// The tiny data set, visual features first.
  private func tinyInput() throws -> ModelInput {
    let golden = try Golden("tiny")
    func pairs(_ split: String) throws -> [(user: Int32, item: Int32)] {
      let users = try golden.integers("\(split)/user")
      return zip(users, try golden.integers("\(split)/item")).map { ($0, $1) }
    }
    let dataset = try Dataset(
      name: "tiny",
      interactions: Interactions(
        train: pairs("train"), valid: pairs("valid"), test: pairs("test")),
      features: TinyData().features)
    return ModelInput(dataset, graphs: GraphStore(dataset: dataset, cacheFolder: nil))
  }

  /// The options of the golden files.
  private var settings: SettingStore {
    var settings = SettingStore(embeddingSize: 8, regularization: 0.01)
    settings[CommonSettings.itemNeighbours] = 3
    settings[SOIL.Settings.self].interestCount = 2
    settings[SOIL.Settings.self].secondOrderCount = 2
    settings[SMORE.Settings.self].otherItemNeighbours = 4
    return settings
  }

  @Test(
    "graphs of the data set give the reference's final vectors",
    arguments: [MultiViewGoldenTests.mgcn, MultiViewGoldenTests.soil, SMORETests.golden]
      + PGLTests.cases)
  func finalVectors(test: GoldenCase) throws {
    let stored = try test.load()
    let model = try ModelRegistry.make(
      test.file, input: try tinyInput(), settings: settings, objective: nil, seed: 1)
    #expect(model.tables == stored.model.tables)
    let final = stored.parameters.finalVectors(model)
    let golden = stored.golden
    #expect(relativeDifference(final.user, try golden.matrix(test.path("ranking/user"))) < 1e-5)
    #expect(relativeDifference(final.item, try golden.matrix(test.path("ranking/item"))) < 1e-5)
  }

  @Test("SOIL with fixed degrees takes the block of the second-order adjacency")
  func fixedDegrees() throws {
    let stored = try MultiViewGoldenTests.soil.load()
    var settings = settings
    settings[SOIL.Settings.self].secondOrderDegrees = .fixed
    let built = try ModelRegistry.make(
      "soil", input: try tinyInput(), settings: settings, objective: nil, seed: 1)
    let golden = stored.golden
    let graphs = ViewGraphs(
      adjacency: try golden.sparse("graphs/A_prime"),
      userItem: try golden.sparse("graphs/R_prime_fixed_defined_here"),
      itemItem: try ["M_v", "M_t"].map { try golden.sparse("graphs/\($0)") })
    let expected = TrainingModel(
      backbone: SOIL(
        userCount: 12, itemCount: 9, features: stored.data.features, embeddingSize: 8,
        settings: settings[SOIL.Settings.self],
        graphs: { graphs }), objective: nil, userCount: 12, itemCount: 9)
    let (left, right) = (
      stored.parameters.finalVectors(built), stored.parameters.finalVectors(expected)
    )
    #expect(relativeDifference(left.user, right.user) < 1e-5)
    #expect(relativeDifference(left.item, right.item) < 1e-5)
    let faithful = stored.parameters.finalVectors(stored.model)
    #expect(relativeDifference(left.user, faithful.user) > 1e-3)
  }

  @Test("relative deviations begin at a tenth of the views' scale before training")
  func relativeDeviation() throws {
    var objective = SettingValues<MRdIB.Settings>()
    objective.deviation = .relative
    let model = try ModelRegistry.make(
      "mgcn", input: try tinyInput(), settings: settings, objective: objective, seed: 3)
    let tables = model.tables.enumerated().map { table, spec -> Matrix in
      if spec.initializer == .pushed {
        return model.initialValues(table: table, rows: 0..<spec.rows, seed: 3, itemCount: 9)
      }
      let matrix = Matrix(rows: spec.rows, columns: spec.width)
      for row in 0..<spec.rows {
        spec.initializer.fill(matrix.row(row), table: spec.name, row: row, seed: 3)
      }
      return matrix
    }
    let items = (0..<Int32(9)).map { $0 }
    let batch = TripletBatch(
      users: items, positives: items, negatives: items, globalCount: items.count)
    let statistics = PlainParameters(tables: tables).gradients(
      model, batch, context: StepContext(seed: 3, epoch: 0, step: 0)
    ).loss.statistics
    for name in ["visual", "text"] {
      let scale = try #require(statistics["rms.\(name)"])
      let table = try #require(
        model.tables.firstIndex { $0.name == "mrdib.\(name).logvar.bias" })
      for logVariance in tables[table].elements {
        #expect(abs(exp(Double(logVariance) / 2) - 0.1 * scale) < 1e-5 * scale)
      }
    }
  }
}
