internal import Datasets
internal import Recommenders
internal import Runtime
internal import Tensors

/// What is recommended of the catalogue: how often each item is in the list of a user, next to how
/// often it is in the training data.
package struct CatalogueUse: Sendable {
  /// K, the length of the lists.
  static let listLength = 20
  /// The most users whose lists are made; of more, a sample is drawn.
  static let mostUsers = 20_000

  /// Users with training interactions.
  let userCount: Int
  /// Those whose lists were made: all, or a sample.
  let listedUsers: Int
  /// How many lists each item is in, `[I]`.
  let counts: [Int]
  /// Training interactions per item, `[I]`.
  let popularity: [Int]
  /// The share of items that are in at least one list.
  package let coverage: Double
  /// Of the lists, see `Metric.gini`.
  package let gini: Double
  /// The same of the training interactions.
  package let trainingGini: Double
  /// The mean number of training interactions of a recommended item.
  package let meanPopularity: Double
  /// The same of the items in the training interactions themselves.
  package let trainingMeanPopularity: Double

  /// - Parameter progress: called with the share that is done; throws to stop.
  /// - Throws: errors with a sentence when the model cannot be read; what `progress` throws.
  init(_ model: TrainedModel, progress: (Double) throws -> Void) throws {
    let recommender = try RunRecommender(
      .init(
        run: model.run, count: Self.listLength, excluded: .training,
        dataFolder: model.dataFolder, style: .dense))
    let train = model.dataset.train
    let known = (0..<model.dataset.userCount).filter { train.degree($0) > 0 }
    let users = Self.sample(known, count: Self.mostUsers)
    var counts = [Int](repeating: 0, count: model.dataset.itemCount)
    let blocks = stride(from: 0, to: users.count, by: RunRecommender.blockSize).map {
      Array(users[$0..<min($0 + RunRecommender.blockSize, users.count)])
    }
    for start in stride(from: 0, to: blocks.count, by: recommender.blocksAtOnce) {
      try progress(Double(start) / Double(blocks.count))
      let together = Array(blocks[start..<min(start + recommender.blocksAtOnce, blocks.count)])
      for lists in try recommender.recommend(toBlocks: together, { $1 }) {
        for item in lists.flatMap(\.items) { counts[item.item] += 1 }
      }
    }
    self.init(
      counts: counts, popularity: model.popularity, userCount: known.count,
      listedUsers: users.count)
  }

  /// - Parameters:
  ///   - counts: how many lists each item is in.
  ///   - popularity: training interactions per item.
  package init(counts: [Int], popularity: [Int], userCount: Int, listedUsers: Int) {
    self.counts = counts
    self.popularity = popularity
    self.userCount = userCount
    self.listedUsers = listedUsers
    (coverage, gini) = Self.exposure(counts)
    trainingGini = Self.exposure(popularity).gini
    func meanPopularity(_ weights: [Int]) -> Double {
      let sum = zip(weights, popularity).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
      return sum / Double(max(1, weights.reduce(0, +)))
    }
    self.meanPopularity = meanPopularity(counts)
    trainingMeanPopularity = meanPopularity(popularity)
  }

  private static func exposure(_ counts: [Int]) -> (coverage: Double, gini: Double) {
    var exposure = Exposure(itemCount: counts.count)
    _ = exposure.add(
      counts.enumerated().map { (item: UInt32($0.offset), count: UInt32(clamping: $0.element)) })
    let values = exposure.values(of: [.coverage, .gini], at: listLength)
    return (
      values[Metric.coverage.name(at: listLength)] ?? 0,
      values[Metric.gini.name(at: listLength)] ?? 0
    )
  }

  /// Some elements, in their order, drawn without replacement: always the same ones.
  package static func sample(_ elements: [Int], count: Int) -> [Int] {
    guard elements.count > count else { return elements }
    let random = CounterRandom(seed: 0, stream: .sample)
    let keys = elements.map { element in
      let words = random.words(id: element)
      return UInt64(words.x) << 32 | UInt64(words.y)
    }
    let chosen = elements.indices.sorted { (keys[$0], $0) < (keys[$1], $1) }.prefix(count)
    return chosen.sorted().map { elements[$0] }
  }

  /// The share of some counts that falls on the most popular items, as their share of the catalogue
  /// grows from 0 to 1: at most 200 points, the first at 0 and the last at 1.
  ///
  /// - Parameter counts: per item.
  package func concentration(of counts: [Int]) -> [(items: Double, share: Double)] {
    let order = popularity.indices.sorted { (-popularity[$0], $0) < (-popularity[$1], $1) }
    let total = Double(max(1, counts.reduce(0, +)))
    let every = max(1, order.count / 199)
    var points = [(items: 0.0, share: 0.0)]
    var sum = 0
    for (position, item) in order.enumerated() {
      sum += counts[item]
      if (position + 1) % every == 0 || position == order.count - 1 {
        points.append((Double(position + 1) / Double(order.count), Double(sum) / total))
      }
    }
    return points
  }

  /// The share of some counts that falls on the most popular part of the catalogue, at least one
  /// item.
  package func share(of counts: [Int], onMostPopular part: Double) -> Double {
    let order = popularity.indices.sorted { (-popularity[$0], $0) < (-popularity[$1], $1) }
    let items = order.prefix(max(1, Int((part * Double(order.count)).rounded())))
    let sum = items.reduce(0) { $0 + counts[$1] }
    return Double(sum) / Double(max(1, counts.reduce(0, +)))
  }
}
