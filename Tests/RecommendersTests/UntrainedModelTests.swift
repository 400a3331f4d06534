import Datasets
import Recommenders
import Settings
import Tables
import Tensors
import TestSupport
import Testing

/// The baselines whose vectors follow from the data alone.
@Suite struct UntrainedModelTests {
  private let dataset: Dataset

  init() throws { dataset = try TinyData().dataset() }

  private func make(
    _ name: String, objective: SettingValues<MRdIB.Settings>? = nil
  ) throws -> TrainingModel {
    var settings = SettingStore(embeddingSize: 8, regularization: 0)
    settings[VIRAL.Settings.self].inputWidth = .pad
    return try ModelRegistry.make(
      name, input: ModelInput(dataset, graphs: GraphStore(dataset: dataset, cacheFolder: nil)),
      settings: settings, objective: objective, seed: 1)
  }

  /// The tables at the beginning, which training leaves alone.
  private func parameters(_ model: TrainingModel) -> PlainParameters {
    PlainParameters(
      tables: model.tables.indices.map { table in
        let spec = model.tables[table]
        guard spec.initializer == .pushed else {
          let matrix = Matrix(rows: spec.rows, columns: spec.width)
          if case .constant(let value) = spec.initializer {
            for row in 0..<spec.rows {
              for column in 0..<spec.width { matrix[row, column] = value }
            }
          }
          return matrix
        }
        return model.initialValues(
          table: table, rows: 0..<spec.rows, seed: 1, itemCount: dataset.itemCount)
      })
  }

  private func scores(_ model: TrainingModel) -> [[Double]] {
    let final = parameters(model).finalVectors(model)
    return (0..<dataset.userCount).map { user in
      (0..<dataset.itemCount).map { item in
        (0..<final.user.columns).reduce(0) {
          $0 + Double(final.user[user, $1]) * Double(final.item[item, $1])
        }
      }
    }
  }

  @Test("popularity scores by the training interactions of an item")
  func popularity() throws {
    for row in scores(try make("pop")) {
      for (item, score) in row.enumerated() {
        let owners = (0..<dataset.userCount).count {
          dataset.train.contains(row: $0, column: Int32(item))
        }
        #expect(score == Double(owners))
      }
    }
  }

  @Test("content scores by the mean cosine over modalities, summed over the user's items")
  func content() throws {
    func row(_ feature: FeatureMatrix, _ item: Int) -> [Double] {
      let matrix = Matrix(rows: 1, columns: feature.columns)
      feature.copyRow(item, to: matrix.pointer)
      return (0..<feature.columns).map { Double(matrix[0, $0]) }
    }
    func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
    func cosine(_ a: [Double], _ b: [Double]) -> Double {
      dot(a, b) / (dot(a, a) * dot(b, b)).squareRoot()
    }
    let found = scores(try make("itemknn_content"))
    for user in 0..<dataset.userCount {
      for item in 0..<dataset.itemCount {
        let expected = dataset.train[user].reduce(0.0) { sum, other in
          sum
            + dataset.features.reduce(0.0) {
              $0 + cosine(row($1, item), row($1, Int(other))) / Double(dataset.features.count)
            }
        }
        #expect(abs(found[user][item] - expected) < 1e-4)
      }
    }
  }

  @Test(
    "nothing is trained, and MRdIB is refused with the reason",
    arguments: ["pop", "itemknn_content"])
  func untrained(name: String) throws {
    let model = try make(name)
    #expect(model.parameterCount == 0)
    let batch = try TinyData().batch
    let step = parameters(model).gradients(
      model, batch, context: StepContext(seed: 1, epoch: 0, step: 0))
    #expect(step.shares["total"] == 0)
    #expect(
      step.gradients.allSatisfy { gradient in
        withExtendedLifetime(gradient) { gradient.elements.allSatisfy { $0 == 0 } }
      })
    let error = try #require(throws: ModelError.self) {
      try make(name, objective: SettingValues<MRdIB.Settings>())
    }
    #expect(error.description.contains("nothing to train"))
  }

  @Test(
    "a model declares that it ranks new items exactly if it does", arguments: ModelRegistry.names)
  func declaration(name: String) throws {
    let ranks = try make(name).backbone.newItemVectors != nil
    #expect(ModelRegistry.namesRankingNewItems.contains(name) == ranks)
  }

  @Test("a new item with the features of a trained one gets what these say of that one")
  func newItems() throws {
    let content = try make("itemknn_content")
    let tables = parameters(content).tables
    let source = try #require(content.backbone.newItemVectors)
    let trained = TrainedItems(
      features: dataset.features, vectors: tables[0], trainingCounts: dataset.trainingCounts)
    let same = try source.vectors(of: dataset.features, parameters: [], trained: trained)
    #expect(relativeDifference(same, tables[0]) == 0)
    // The nearest neighbour of a copy is the original, if that was trained.
    let alone = try NewItemVectors.neighbours(count: 1).vectors(
      of: dataset.features, parameters: [], trained: trained)
    for item in 0..<dataset.itemCount where dataset.trainingCounts[item] > 0 {
      for column in 0..<alone.columns { #expect(alone[item, column] == tables[0][item, column]) }
    }
    // With all as neighbours every item gets the mean of those with training interactions.
    let all = try NewItemVectors.neighbours(count: 100).vectors(
      of: dataset.features, parameters: [], trained: trained)
    let warm = (0..<dataset.itemCount).filter { dataset.trainingCounts[$0] > 0 }
    let mean = warm.reduce(0) { $0 + tables[0][$1, 0] } / Float(warm.count)
    #expect(abs(all[0, 0] - mean) < 1e-5)
  }
}
