import Datasets
import Foundation
import Tensors
import TestSupport
import Testing

@Suite("items without a modality, and permuted modalities")
struct FeatureTreatmentTests {
  private static let rows: [[Float]] = [[1, 0], [0.8, 0.6], [0, 1], [0.6, 0.8], [5, 5]]
  /// User 0 has items 0, 1 and 4, user 1 has items 1, 2 and 3, user 2 has items 1 and 4.
  private static let train: [(user: Int32, item: Int32)] = [
    (0, 0), (0, 1), (0, 4), (1, 1), (1, 2), (1, 3), (2, 1), (2, 4),
  ]

  private func features(
    mask: [Bool]? = nil, nan: [Int] = [], accepts: Bool = true
  ) throws -> FeatureMatrix {
    let matrix = Matrix(rows: 5, columns: 2, elements: Self.rows.flatMap { $0 })
    for row in nan { matrix.row(row).update(repeating: .nan) }
    return try FeatureMatrix(
      name: "text", matrix: matrix, mask: mask.map(FeatureMask.init), acceptsNaNRows: accepts)
  }

  private func dataset(
    _ features: FeatureMatrix, _ change: (inout FeatureTreatment) -> Void = { _ in }
  ) throws -> Dataset {
    var treatment = FeatureTreatment()
    change(&treatment)
    return try Dataset(
      name: "toy", interactions: Interactions(train: Self.train), features: [features],
      treatment: treatment)
  }

  private func rows(_ dataset: Dataset) -> [[Float]] {
    let feature = dataset.features[0]
    let row = Matrix(rows: 1, columns: feature.columns)
    return (0..<feature.rows).map {
      feature.copyRow($0, to: row.pointer)
      return withExtendedLifetime(row) { Array(row.elements) }
    }
  }

  @Test("each choice fills the rows as it says")
  func filling() throws {
    let masked = try features(mask: [true, true, true, true, false])
    #expect(try rows(dataset(masked))[4] == [5, 5])
    #expect(try rows(dataset(masked) { $0.missing = .zero })[4] == [0, 0])
    #expect(try rows(dataset(masked) { $0.missing = .prior })[4] == [0, 0])
    let mean = try rows(dataset(masked) { $0.missing = .mean })[4]
    #expect(abs(mean[0] - 0.6) < 1e-6 && abs(mean[1] - 0.6) < 1e-6)
    // Item 4 is had together with items 0 (once) and 1 (twice) alone.
    let near = try rows(dataset(masked) { $0.missing = .neighbours })[4]
    #expect(abs(near[0] - 0.9) < 1e-6 && abs(near[1] - 0.3) < 1e-6)
    for missing in MissingFeatures.allCases {
      #expect(
        try rows(dataset(masked) { $0.missing = missing }).prefix(4) == Self.rows.prefix(4))
    }
  }

  @Test("rows of NaN are an error, or items without the modality where that is declared")
  func nanRows() throws {
    expect(
      problem { try features(nan: [2], accepts: false) }, says: "row 2, column 0",
      "--set nan_rows=missing")
    let declared = try features(nan: [2])
    #expect(declared.mask == FeatureMask([true, true, false, true, true]))
    #expect(try rows(dataset(declared))[2] == [0, 0])
    // Item 2 is had with items 1 and 3.
    let near = try rows(dataset(declared) { $0.missing = .neighbours })[2]
    #expect(abs(near[0] - 0.7) < 1e-6 && abs(near[1] - 0.7) < 1e-6)
  }

  @Test("new items are filled from the data set's features: its mean, and no neighbours")
  func newItems() throws {
    let folder = try TemporaryFolder()
    var turn = 0
    func read(
      _ missing: MissingFeatures, mask: [Bool]? = nil, trained: [Bool]? = nil,
      files: [String] = ["text"]
    ) throws -> NewItemFeatures {
      let data = try Dataset(
        name: "toy", interactions: Interactions(train: Self.train),
        features: [
          features(mask: trained),
          FeatureMatrix(name: "audio", matrix: randomMatrix(5, 3, seed: 2)),
        ])
      let new = folder.path("new\(turn)")
      turn += 1
      try FileManager.default.createDirectory(atPath: new, withIntermediateDirectories: true)
      for file in files {
        let elements: [Float] = file == "text" ? [1, 2, 3, 4] : [1, 2, 3, 4, 5, 6]
        try NPYWriter.write(
          Matrix(rows: 2, columns: elements.count / 2, elements: elements),
          to: "\(new)/\(file)_feat.npy")
      }
      if let mask { try FeatureMask(mask).write(to: "\(new)/text_mask.npy") }
      var treatment = FeatureTreatment()
      treatment.missing = missing
      return try NewItemFeatures(folder: new, like: data, treatment: treatment)
    }
    func row(_ feature: FeatureMatrix, _ item: Int) -> [Float] {
      let row = Matrix(rows: 1, columns: feature.columns)
      feature.copyRow(item, to: row.pointer)
      return withExtendedLifetime(row) { Array(row.elements) }
    }
    let mask = [true, false]
    #expect(try row(read(.filled, mask: mask).features[0], 1) == [3, 4])
    #expect(try row(read(.zero, mask: mask).features[0], 1) == [0, 0])
    for choice in [MissingFeatures.mean, .neighbours] {
      let filled = try read(
        choice, mask: mask, trained: [true, true, true, true, false]
      ).features[0]
      #expect(row(filled, 0) == [1, 2])
      #expect(zip(row(filled, 1), [0.6, 0.6]).allSatisfy { abs($0 - $1) < 1e-6 })
    }
    let prior = try read(.prior)
    #expect(prior.absent.map(\.modality) == ["audio"] && prior.features[1].missing == .prior)
    #expect(prior.features[1].mask == FeatureMask([false, false]))
    #expect(row(prior.features[1], 0) == [0, 0, 0])
    expect(
      problem { try read(.zero, files: []) }, says: "holds no features of new items",
      "text_feat.npy and audio_feat.npy")
  }

  @Test("removal is named by the seed, and grows with the rate")
  func removal() throws {
    let matrix = randomMatrix(400, 3, seed: 5)
    let feature = try FeatureMatrix(name: "text", matrix: matrix)
    func mask(_ rate: Double, seed: UInt64) throws -> [Bool] {
      var treatment = FeatureTreatment()
      treatment.missingRate = rate
      treatment.seed = seed
      let data = try Dataset(
        name: "toy", interactions: Interactions(train: Self.train), features: [feature],
        treatment: treatment)
      return data.features[0].mask?.isPresent ?? []
    }
    let (few, many) = (try mask(0.1, seed: 1), try mask(0.3, seed: 1))
    #expect((15...70).contains(few.count { !$0 }) && (80...160).contains(many.count { !$0 }))
    #expect(zip(few, many).allSatisfy { $0 || !$1 })
    #expect(try mask(0.1, seed: 1) == few)
    #expect(try mask(0.1, seed: 2) != few)
  }

  @Test("graphs have no edges from or to items without the modality, and the others' nearest")
  func graphs() throws {
    let data = try dataset(features(mask: [true, true, true, false, true])) { $0.missing = .mean }
    let graph = try GraphStore(dataset: data, cacheFolder: nil)
      .itemNeighbours(modality: 0, count: 4, weighting: .unweighted)
    #expect(graph.entries(ofRow: 3).isEmpty)
    #expect(!graph.indices.contains(3))
    for item in [0, 1, 2, 4] { #expect(graph.entries(ofRow: item).count == 4) }
  }

  @Test("a permuted modality has the same rows, in another order, and no precomputed neighbours")
  func shuffled() throws {
    let lists = try NeighbourLists(path: "x", count: 1, items: [0, 1, 2, 3, 4])
    let matrix = Matrix(rows: 5, columns: 2, elements: Self.rows.flatMap { $0 })
    let feature = try FeatureMatrix(
      name: "text", matrix: matrix, neighbours: [lists],
      mask: FeatureMask([true, true, true, true, false]))
    let data = try dataset(feature) {
      $0.shuffled = "text"
      $0.seed = 3
    }
    let found = rows(data)
    #expect(found != Self.rows && found[4] == Self.rows[4])
    #expect(Set(found) == Set(Self.rows))
    #expect(data.features[0].neighbours.isEmpty && data.features[0].mask == feature.mask)
    expect(
      problem { _ = try dataset(feature) { $0.shuffled = "audio" } },
      says: "no modality 'audio'", "text")
  }

  @Test("digests differ by masks, fillings and orders, and are as before without them")
  func digests() throws {
    let masked = try features(mask: [true, true, true, true, false])
    var digests = try MissingFeatures.allCases.map { missing in
      try dataset(masked) { $0.missing = missing }.digest
    }
    digests.append(try dataset(features()).digest)
    digests.append(try dataset(features(mask: [true, true, true, false, true])).digest)
    digests.append(
      try dataset(features()) {
        $0.shuffled = "text"
        $0.seed = 3
      }.digest)
    #expect(Set(digests).count == digests.count)
    #expect(
      try dataset(features()) { $0.missing = .mean }.digest == dataset(features()).digest)
  }
}
