import Datasets
import Tensors
import TestSupport

/// Data sets for graphs.
enum GraphData {
  /// The tiny data set of the golden files, visual features first.
  static func tiny() throws -> Dataset {
    let golden = try Golden("tiny")
    func pairs(_ split: String) throws -> [(user: Int32, item: Int32)] {
      let users = try golden.integers("\(split)/user")
      return zip(users, try golden.integers("\(split)/item")).map { ($0, $1) }
    }
    return try Dataset(
      name: "tiny",
      interactions: Interactions(
        train: pairs("train"), valid: pairs("valid"), test: pairs("test")),
      features: ["visual", "text"].map {
        try FeatureMatrix(name: $0, matrix: golden.matrix($0))
      })
  }

  /// Every user has 2 to 8 items, the last item has no user; normal features of two widths.
  static func random(users: Int, items: Int, seed: UInt64) throws -> Dataset {
    let random = CounterRandom(seed: seed, stream: .generator)
    var train: [(user: Int32, item: Int32)] = []
    for user in 0..<users {
      var seen: Set<Int32> = []
      for index in 0..<2 + random.integer(below: 7, id: user) {
        // Squared, so that some items are popular.
        let uniform = random.uniform(id: user, index: index + 1)
        let item = Int32(uniform * uniform * Float(items - 1))
        if seen.insert(item).inserted { train.append((Int32(user), item)) }
      }
    }
    return try Dataset(
      name: "random", interactions: Interactions(train: train),
      features: [
        FeatureMatrix(name: "visual", matrix: randomMatrix(items, 13, seed: seed)),
        FeatureMatrix(name: "text", matrix: randomMatrix(items, 6, seed: seed + 1)),
      ])
  }

  /// Items with given features in one modality. Two users together have all but the last item.
  static func items(_ features: [[Float]], neighbours: [NeighbourLists] = []) throws -> Dataset {
    let matrix = Matrix(
      rows: features.count, columns: features[0].count, elements: features.flatMap { $0 })
    return try Dataset(
      name: "items",
      interactions: Interactions(
        train: (0..<Int32(features.count - 1)).map { ($0 % 2, $0) }),
      features: [FeatureMatrix(name: "visual", matrix: matrix, neighbours: neighbours)])
  }
}

extension GraphStore {
  convenience init(_ dataset: Dataset) { self.init(dataset: dataset, cacheFolder: nil) }
}
