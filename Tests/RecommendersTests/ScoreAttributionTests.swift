import Datasets
import Recommenders
import Settings
import Tables
import Tensors
import TestSupport
import Testing

@Suite struct ScoreAttributionTests {
  /// Items whose columns 0–1 are ids, 2–3 a picture and, computed from a table, a text for the same
  /// columns as the picture.
  private static let parts = [
    ScorePart(name: ScorePart.interactions, columns: 0..<2),
    ScorePart(name: "picture", columns: 2..<4),
    ScorePart(
      name: "text", columns: 2..<4,
      itemVectors: .computed(tables: [1]) { items, parameters in
        let result = Matrix(rows: items.count, columns: 2)
        for (slot, item) in items.enumerated() { result[slot, 0] = parameters[1][item, 0] }
        return result
      }),
  ]

  /// Item 0 is good by its ids, 1 by its picture, 2 by its text, 3 by nothing.
  private static let items = Matrix(
    rows: 4, columns: 4,
    elements: [
      4, 0, 1, 0,
      0, 0, 9, 0,
      0, 0, 1, 0,
      0, 0, 1, 0,
    ])
  private static let table = Matrix(rows: 4, columns: 1, elements: [0, 4, 8, 0])

  private static let attribution = ScoreAttribution(
    parts, items: items, parameters: [Matrix(rows: 0, columns: 3), table])

  /// Row 1 likes everything twice as much as row 0 in the columns of content.
  private static let users = Matrix(rows: 2, columns: 4, elements: [1, 0, 1, 0, 1, 0, 2, 0])

  @Test("a contribution is the product of a part above its mean over all items")
  func contributions() {
    // Means: ids 1, picture 3, text 3.
    let values = (0..<4).map { item in
      Self.attribution.contributions(users: Self.users, row: 0, item: item).map(\.value)
    }
    #expect(values == [[3, -2, -3], [-1, 6, 1], [-1, -2, 5], [-1, -2, -3]])
    let twice = Self.attribution.contributions(users: Self.users, row: 1, item: 1)
    #expect(twice.map(\.value) == [-1, 12, 2])
    #expect(twice.map(\.part) == ["interactions", "picture", "text"])
  }

  @Test("the reason is the largest contribution, with its share of those above 0")
  func reasons() {
    let reasons = (0..<4).map { item in
      Self.attribution.contributions(users: Self.users, row: 0, item: item).reason
    }
    #expect(
      reasons == [
        .init(part: "interactions", share: 1), .init(part: "picture", share: 6.0 / 7),
        .init(part: "text", share: 1), nil,
      ])
    let equal = ["a", "b"].map { ScoreAttribution.Contribution(part: $0, value: 2) }
    #expect(equal.reason == .init(part: "a", share: 0.5))
    #expect([ScoreAttribution.Contribution]().reason == nil)
  }

  private static func model(_ name: String) throws -> (TrainingModel, TinyData) {
    let data = try TinyData()
    let dataset = try data.dataset()
    var settings = SettingStore(embeddingSize: 8, regularization: 0)
    settings[CommonSettings.itemNeighbours] = 3
    settings[VIRAL.Settings.self].inputWidth = .pad
    var input = ModelInput(dataset, graphs: GraphStore(dataset: dataset, cacheFolder: nil))
    if !ModelRegistry.needsFeatures(name) { input.features = [] }
    return (
      try ModelRegistry.make(name, input: input, settings: settings, objective: nil, seed: 1), data
    )
  }

  @Test(
    "a model says that its score splits exactly if it has parts", arguments: ModelRegistry.names)
  func declared(name: String) throws {
    let parts = try Self.model(name).0.backbone.scoreParts
    #expect(ModelRegistry.namesWithScoreParts.contains(name) == !parts.isEmpty)
  }

  @Test(
    "the contributions to a score are the score less the user's mean score",
    arguments: ModelRegistry.namesWithScoreParts)
  func sums(name: String) throws {
    let (model, data) = try Self.model(name)
    var number = 0
    let parameters = PlainParameters(
      tables: model.tables.map { spec in
        let matrix = Matrix(rows: spec.rows, columns: spec.width)
        for index in 0..<matrix.count {
          number = (number &* 1_103_515_245 &+ 12345) & 0x7FFF_FFFF
          matrix.elements[index] = Float(number % 2000) / 1000 - 1
        }
        return matrix
      })
    let names =
      switch name {
      case "viral": ["text", "synergy", "visual"]
      case "mentor", "pgl": ["visual", "text"]
      default: [ScorePart.interactions, "visual", "text"]
      }
    let final = parameters.finalVectors(model)
    let attribution = ScoreAttribution(
      model.backbone.scoreParts, items: final.item,
      parameters: Array(parameters.tables[..<model.backbone.tables.count]))
    for user in [0, data.userCount - 1] {
      let scores = (0..<data.itemCount).map { item in
        (0..<final.item.columns).reduce(0.0) {
          $0 + Double(final.user[user, $1]) * Double(final.item[item, $1])
        }
      }
      let mean = scores.reduce(0, +) / Double(scores.count)
      for item in 0..<data.itemCount {
        let contributions = attribution.contributions(users: final.user, row: user, item: item)
        #expect(contributions.map(\.part) == names)
        let sum = contributions.reduce(0) { $0 + $1.value }
        #expect(abs(sum - (scores[item] - mean)) < 1e-4 * max(1, abs(scores[item])))
      }
    }
  }
}
