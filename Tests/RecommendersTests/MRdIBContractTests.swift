import Datasets
import Recommenders
import Settings
import Tables
import Tensors
import TestSupport
import Testing

@Suite struct MRdIBContractTests {
  private func model(_ objective: SettingValues<MRdIB.Settings>?, modalities: Int = 2) throws
    -> (TrainingModel, PlainParameters, TinyData)
  {
    let data = try TinyData()
    var features = data.features
    if modalities > 2 {
      features.append(
        try FeatureMatrix(name: "audio", matrix: randomMatrix(data.itemCount, 5, seed: 3)))
    }
    let model = try ModelRegistry.make(
      "vbpr",
      input: ModelInput(
        userCount: data.userCount, itemCount: data.itemCount,
        features: Array(features[..<modalities])),
      settings: SettingStore(embeddingSize: 8, regularization: 0.1), objective: objective, seed: 4)
    let tables = model.tables.map { spec in
      let matrix = Matrix(rows: spec.rows, columns: spec.width)
      for row in 0..<spec.rows {
        spec.initializer.fill(matrix.row(row), table: spec.name, row: row, seed: 4)
      }
      return matrix
    }
    return (model, PlainParameters(tables: tables), data)
  }

  private let context = StepContext(seed: 4, epoch: 2, step: 3)

  @Test("all weights 0 and no sampling: the bits of plain VBPR")
  func switchedOff() throws {
    var options = SettingValues<MRdIB.Settings>()
    options.bottleneckWeight = 0
    options.redundancyWeight = 0
    options.uniqueWeight = 0
    options.isStochastic = false
    let (plain, plainParameters, data) = try model(nil)
    let (with, withParameters, _) = try model(options)
    let left = plainParameters.gradients(plain, data.batch, context: context)
    let right = withParameters.gradients(with, data.batch, context: context)
    #expect(left.shares["total"] == right.shares["total"])
    for table in plain.backbone.tables.indices {
      #expect(
        Array(left.gradients[table].elements) == Array(right.gradients[table].elements))
    }
  }

  @Test("the final vectors of MRdIB use the means, as those of the backbone do")
  func inference() throws {
    let (plain, plainParameters, _) = try model(nil)
    let (with, withParameters, _) = try model(SettingValues<MRdIB.Settings>())
    let left = plainParameters.finalVectors(plain)
    let right = withParameters.finalVectors(with)
    #expect(Array(left.item.elements) == Array(right.item.elements))
    #expect(Array(left.user.elements) == Array(right.user.elements))
  }

  @Test("every option trains: finite loss, and a gradient for every table that should have one")
  func choices() throws {
    var variants: [(String, SettingValues<MRdIB.Settings>)] = []
    func add(_ name: String, _ change: (inout SettingValues<MRdIB.Settings>) -> Void) {
      var options = SettingValues<MRdIB.Settings>()
      options.store[DonskerVaradhanEstimator.Settings.self].skipsNegative = false
      change(&options)
      variants.append((name, options))
    }
    add("default") { _ in }
    for estimator in RegisteredName<EstimatorRegistry>.allCases {
      add(estimator.rawValue) { $0.store[RedundancySettings.self].estimator = estimator }
    }
    add("sum") { $0.reduction = .sum }
    add("bce") { $0.likelihood = .bce }
    add("linear head and decoder") {
      $0.head = .linear
      $0.decoder = .linear
    }
    add("matched prior") { $0.prior = .matched }
    add("relative deviation") { $0.deviation = .relative }
    add("all items in pairs") { $0.store[RedundancySettings.self].pairs = .batchItems }
    add("synergy twice") { $0.synergyWeight = 1 }
    for (name, options) in variants {
      for modalities in [1, 2, 3] {
        let (model, parameters, data) = try model(options, modalities: modalities)
        // A step after the start, where some gradients are exactly 0.
        for table in parameters.tables.indices where model.tables[table].parameterCount > 0 {
          let noise = randomMatrix(
            parameters.tables[table].rows, parameters.tables[table].columns, seed: 8, scale: 0.05)
          BLAS.accumulate(
            noise.pointer, into: parameters.tables[table].pointer, count: noise.count)
        }
        let result = parameters.gradients(model, data.batch, context: context)
        #expect(result.shares.values.allSatisfy { $0.isFinite }, "\(name), \(modalities)")
        for (spec, gradient) in zip(model.tables, result.gradients) where spec.parameterCount > 0 {
          #expect(
            gradient.elements.contains { $0 != 0 }, "\(name), \(modalities): \(spec.name)")
        }
      }
    }
  }

  @Test("one positive item: no shuffled pair exists, and the averages stay")
  func tooFewItems() throws {
    let (model, parameters, _) = try model(SettingValues<MRdIB.Settings>())
    let batch = TripletBatch(
      users: [0, 1], positives: [3, 3], negatives: [1, 2], globalCount: 2)
    guard let table = model.tables.firstIndex(where: { $0.name == "mrdib.redundancy.average" })
    else {
      Issue.record("no table of running averages")
      return
    }
    parameters.tables[table].pointer[0] = 1.5
    parameters.tables[table].pointer[1] = 0.25
    let result = parameters.gradients(model, batch, context: context)
    #expect(result.loss.averages[table].map { Array($0.elements) } == [1.5, 0.25])
    #expect(result.shares.keys.contains("redundancy.visual-text") == false)
  }

  @Test("with a negative running estimate, redundancy gives the encoders no gradient")
  func skipsNegativeEstimates() throws {
    var gradients: [[Float]] = []
    for running: Float in [-0.5, 0.5] {
      let (model, parameters, data) = try model(SettingValues<MRdIB.Settings>())
      let table = try #require(
        model.tables.firstIndex { $0.name == "mrdib.redundancy.average" })
      parameters.tables[table].pointer[0] = 1
      parameters.tables[table].pointer[1] = running
      let result = parameters.gradients(model, data.batch, context: context)
      gradients.append(Array(result.gradients[2].elements))
      let discriminator = try #require(
        model.tables.firstIndex { $0.name.hasSuffix("output.weight") })
      #expect(result.gradients[discriminator].elements.contains { $0 != 0 })
    }
    #expect(gradients[0] != gradients[1])
  }

  @Test("the same item has the same noise in every shard")
  func noiseIsKeyedByItem() throws {
    var options = SettingValues<MRdIB.Settings>()
    options.redundancyWeight = 0
    let (model, parameters, data) = try model(options)
    let whole = parameters.gradients(model, data.batch, context: context)
    let halves = [0..<3, 3..<6].enumerated().map { shard, range in
      parameters.gradients(
        model,
        TripletBatch(
          users: Array(data.batch.users[range]), positives: Array(data.batch.positives[range]),
          negatives: Array(data.batch.negatives[range]), globalCount: 6),
        context: StepContext(seed: 4, epoch: 2, step: 3, shard: shard))
    }
    let ranking = halves.reduce(0) { $0 + ($1.shares["ranking"] ?? .nan) }
    #expect(abs(ranking - (whole.shares["ranking"] ?? .nan)) < 1e-6)
  }

  @Test("an objective on a model without modalities is refused with advice")
  func noModalities() {
    let error = #expect(throws: ModelError.self) {
      try ModelRegistry.make(
        "bpr", input: ModelInput(userCount: 3, itemCount: 3, features: []),
        settings: SettingStore(embeddingSize: 4, regularization: 0),
        objective: SettingValues<MRdIB.Settings>(),
        seed: 1)
    }
    #expect(error?.description.contains("--objective plain") == true)
  }
}
