import Datasets
import Recommenders
import Settings
import Tables
import Tensors
import TestSupport
import Testing

/// MRdIB for items that lack a modality.
@Suite struct MissingModalityTests {
  private static func model(
    missing: Set<Int32>, features change: (Matrix) -> Void = { _ in },
    options: SettingValues<MRdIB.Settings>?
  ) throws -> (TrainingModel, PlainParameters, TinyData) {
    let data = try TinyData()
    let tiny = try data.dataset()
    let text = Matrix(rows: data.itemCount, columns: data.features[1].columns)
    data.features[1].gather((0..<Int32(data.itemCount)).map { $0 }, into: text.pointer)
    change(text)
    var treatment = FeatureTreatment()
    treatment.missing = .prior
    let masked = try Dataset(
      name: "tiny",
      interactions: Interactions(
        train: Array(zip(tiny.trainUsers, tiny.trainItems).map { (user: $0, item: $1) })),
      features: [
        data.features[0],
        FeatureMatrix(
          name: "text", matrix: text,
          mask: missing.isEmpty
            ? nil : FeatureMask((0..<Int32(data.itemCount)).map { !missing.contains($0) })),
      ], treatment: treatment)
    let model = try ModelRegistry.make(
      "vbpr",
      input: ModelInput(
        userCount: data.userCount, itemCount: data.itemCount, features: masked.features),
      settings: SettingStore(embeddingSize: 8, regularization: 0.1), objective: options, seed: 4)
    let tables = model.tables.map { spec in
      let matrix = Matrix(rows: spec.rows, columns: spec.width)
      for row in 0..<spec.rows {
        spec.initializer.fill(matrix.row(row), table: spec.name, row: row, seed: 4)
      }
      return matrix
    }
    return (model, PlainParameters(tables: tables), data)
  }

  private static let context = StepContext(seed: 4, epoch: 2, step: 3)

  @Test("what stands in a missing row changes nothing; without the mask it would")
  func isNotRead() throws {
    let options = SettingValues<MRdIB.Settings>()
    let batch = try TinyData().batch
    let missing: Set<Int32> = [batch.positives[0], batch.negatives[1]]
    func total(_ scale: Float, masked: Bool) throws -> Double? {
      let (model, parameters, data) = try Self.model(
        missing: masked ? missing : [],
        features: { text in
          for item in missing { text.row(Int(item)).update(repeating: scale) }
        }, options: options)
      return parameters.gradients(model, data.batch, context: Self.context).shares["total"]
    }
    #expect(try total(1, masked: true) == total(7, masked: true))
    #expect(try total(1, masked: false) != total(7, masked: false))
  }

  @Test(
    "where no item has a modality, it has no divergence, no redundancy and no term of its own",
    arguments: [MRdIB.Form.published, .gated])
  func allMissing(form: MRdIB.Form) throws {
    var options = SettingValues<MRdIB.Settings>()
    if form == .gated {
      options.ranked = .means
      options.likelihood = .candidates
    }
    let count = try TinyData().itemCount
    let (model, parameters, data) = try Self.model(
      missing: Set(0..<Int32(count)), options: options)
    let result = parameters.gradients(model, data.batch, context: Self.context)
    #expect(result.shares["kl.text"] == 0)
    #expect((result.shares["unique.text"] ?? 0) == 0)
    #expect(result.shares["redundancy.visual-text"] == nil)
    #expect((result.shares["kl.visual"] ?? 0) > 0 && (result.shares["unique.visual"] ?? 0) > 0)
    #expect(result.shares.values.allSatisfy { $0.isFinite })
    for (spec, gradient) in zip(model.tables, result.gradients)
    where spec.name.hasPrefix("mrdib.text") {
      #expect(gradient.elements.allSatisfy { $0 == 0 }, "\(spec.name)")
    }
  }

  @Test("a mask of all items trains to the bits of none")
  func allPresent() throws {
    let options = SettingValues<MRdIB.Settings>()
    let (plain, plainParameters, data) = try Self.model(missing: [], options: options)
    let left = plainParameters.gradients(plain, data.batch, context: Self.context)
    // An item that is not in the batch.
    guard
      let other = (0..<Int32(data.itemCount)).first(where: {
        !data.batch.distinctItems.contains($0)
      })
    else { return }
    let (with, withParameters, _) = try Self.model(missing: [other], options: options)
    let right = withParameters.gradients(with, data.batch, context: Self.context)
    #expect(left.shares["total"] == right.shares["total"])
  }

  /// The models whose score contains content: their vectors of items rank with the prior's mean.
  static let ranking = [
    "cohesion", "dualgnn", "mentor", "mgcn", "mmgcn", "soil", "vbpr", "viral",
  ]

  /// A model on the tiny data with MRdIB, in which some items lack their text.
  private static func graphModel(
    _ name: String, missing: Set<Int32>, as choice: MissingFeatures
  ) throws -> (TrainingModel, PlainParameters) {
    let data = try TinyData()
    var treatment = FeatureTreatment()
    treatment.missing = choice
    let tiny = try data.dataset()
    let features = try ["visual", "text"].enumerated().map { position, modality in
      try FeatureMatrix(
        name: modality, matrix: randomMatrix(data.itemCount, 6, seed: UInt64(position + 7)),
        mask: modality == "text"
          ? FeatureMask((0..<Int32(data.itemCount)).map { !missing.contains($0) }) : nil)
    }
    let dataset = try Dataset(
      name: "tiny",
      interactions: Interactions(
        train: Array(zip(tiny.trainUsers, tiny.trainItems).map { (user: $0, item: $1) })),
      features: features, treatment: treatment)
    var settings = SettingStore(embeddingSize: 8, regularization: 0.1)
    settings[CommonSettings.itemNeighbours] = 3
    settings[CommonSettings.edgeDropout] = 0
    let model = try ModelRegistry.make(
      name, input: ModelInput(dataset, graphs: GraphStore(dataset: dataset, cacheFolder: nil)),
      settings: settings, objective: SettingValues<MRdIB.Settings>(), seed: 4)
    let parameters = PlainParameters.initial(of: model, seed: 4)
    // Away from the start, where biases are 0.
    for table in parameters.tables.indices {
      let values = parameters.tables[table]
      let noise = randomMatrix(values.rows, values.columns, seed: 8, scale: 0.05)
      BLAS.accumulate(noise.pointer, into: values.pointer, count: values.count)
    }
    return (model, parameters)
  }

  @Test("an item ranks with the prior's mean for what it lacks", arguments: ranking)
  func ranksWithPrior(name: String) throws {
    let missing: Set<Int32> = [1, 4]
    let (model, parameters) = try Self.graphModel(name, missing: missing, as: .prior)
    let data = try TinyData()
    let items = (0..<Int32(data.itemCount)).map { $0 }
    let batch = TripletBatch(
      users: items.map { _ in 0 }, positives: items, negatives: items, globalCount: items.count)
    let backbone = model.backbone
    let tape = Tape()
    let selections = backbone.rows(for: batch)
    let tables = selections.enumerated().map { table, selection in
      guard case .listed(let rows) = selection, table < parameters.tables.count else {
        return tape.constant(parameters.tables[table])
      }
      return tape.gather(tape.constant(parameters.tables[table]), rows)
    }
    let input = BatchInput(
      batch: batch, parameters: tables,
      propagated: backbone.propagate(on: tape, parameters: tables, context: Self.context),
      context: Self.context)
    let content = backbone.content(on: tape, input)
    let text = try #require(
      (backbone.contentModalities ?? ["visual", "text"]).firstIndex(of: "text"))
    for item in 0..<data.itemCount {
      let isMissing = missing.contains(Int32(item))
      let row = content.means[text].value.row(item)
      #expect(row.allSatisfy { $0 == 0 } == isMissing, "\(name), item \(item)")
      #expect(content.means[1 - text].value.row(item).contains { $0 != 0 }, "\(name), \(item)")
    }
    // The vectors that rank are those of the score with these means: nothing of a bias is left.
    let fused = backbone.fused(on: tape, input, content: content, rows: BatchRows(of: batch))
    let final = parameters.finalVectors(model).item
    #expect(relativeDifference(elements(final), elements(fused.items.value)) < 1e-5, "\(name)")
    let zeros = try Self.graphModel(name, missing: missing, as: .zero)
    let other = zeros.1.finalVectors(zeros.0).item
    // A view of MGCN and SOIL is 0 anyway where the item has no neighbours.
    if name != "mgcn" && name != "soil" {
      #expect(missing.allSatisfy { Array(final.row(Int($0))) != Array(other.row(Int($0))) })
    }
  }

  @Test("distributions of codes count the items that have the modality")
  func distributions() throws {
    let (model, parameters) = try Self.graphModel("vbpr", missing: [1, 4], as: .prior)
    let items = (0..<Int32(try TinyData().itemCount)).map { $0 }
    let found = model.codeDistributions(of: items, context: Self.context) { table, row, values in
      _ = values.update(fromContentsOf: parameters.tables[table].row(row))
    }
    #expect(found.map(\.modality) == ["visual", "text"])
    #expect(found.map(\.divergences.count) == [items.count, items.count - 2])
    #expect(found[1].deviations.count == (items.count - 2) * 8)
  }

  @Test("the prior without MRdIB is refused with a sentence")
  func plain() throws {
    let error = #expect(throws: ModelError.self) {
      _ = try Self.model(missing: [1], options: nil)
    }
    #expect(error?.description.contains("only MRdIB has a prior") == true)
  }

  @Test("items are shared out into those with no, some and all modalities")
  func groups() throws {
    let data = RandomRankingData(userCount: 40, itemCount: 120, seed: 21)
    let split = data.splits[0]
    let counts = (0..<120).map { $0 % 4 == 0 ? 0 : $0 % 4 == 1 ? 1 : 2 }
    let parts = split.groups(train: data.train, modalities: (counts, 2))
      .filter { $0.group.kind == .modalities }
    #expect(
      parts.map(\.group.name) == [
        "items of 0 modalities", "items of 1 modality", "items of 2 modalities",
      ]
    )
    #expect(
      parts.map { $0.split.truth.columns.count }.reduce(0, +) == split.truth.columns.count)
    for (group, part) in parts {
      #expect(part.truth.columns.allSatisfy { group.includes(counts[Int($0)]) })
      #expect(MeasuredGroup(name: part.name)?.group == group)
    }
    #expect(!split.groups(train: data.train).contains { $0.group.kind == .modalities })
  }
}
