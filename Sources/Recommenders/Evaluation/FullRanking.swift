import Tensors

/// Full-ranking evaluation: every user's items are ranked among *all* items but those of the
/// user's training set, by inner product; no sampled negatives.
///
/// All splits are counted from one ranking. Training items are never ranked; the items of other
/// splits are (validation items compete when the test split is measured). Equal scores rank by
/// ascending item id.
///
/// - Source: MMRec (enoche/MMRec e775373), with one deviation: it gives training items a score of
///   −1e10 and so may still list them for a user with fewer than K other items; here such a list
///   is shorter. The metrics are the same unless a split repeats a training interaction.
public struct FullRanking: Sendable {
  /// The cutoffs K of the metrics, ascending.
  public let cutoffs: [Int]
  /// What is computed at each of them.
  public let metrics: [Metric]
  private let tile: TiledRanking.TileSize
  /// Users and items of a product, for measurements.
  package static var tileShape: (users: Int, items: Int) {
    (TiledRanking.TileSize().users, TiledRanking.TileSize().items)
  }
  private let discounts: RankDiscounts

  /// - Precondition: `cutoffs` is not empty and all are positive.
  public init(cutoffs: [Int], metrics: [Metric] = Metric.standard) {
    self.init(cutoffs: cutoffs, metrics: metrics, tile: TiledRanking.TileSize())
  }

  /// For tests and measurements, with a given number of users and items per tile.
  package init(
    cutoffs: [Int], metrics: [Metric] = Metric.standard, usersPerTile: Int, itemsPerTile: Int
  ) {
    self.init(
      cutoffs: cutoffs, metrics: metrics, tile: .init(users: usersPerTile, items: itemsPerTile))
  }

  private init(cutoffs: [Int], metrics: [Metric], tile: TiledRanking.TileSize) {
    precondition(!cutoffs.isEmpty && cutoffs.allSatisfy { $0 > 0 }, "cutoffs \(cutoffs)")
    self.cutoffs = Set(cutoffs).sorted()
    self.metrics = metrics
    self.tile = tile
    discounts = RankDiscounts(depth: cutoffs.max() ?? 0)
  }

  /// The metric sums of a block of users, in the order of `splits`.
  ///
  /// - Parameters:
  ///   - userMatrix: the block's users, `[block, D]`.
  ///   - firstUser: the id of the block's first user.
  ///   - itemMatrix: all items, `[I, D]`.
  ///   - trainMask: for every user of the data set, the items not to be ranked, `[U, I]`.
  ///   - splits: at most 32; truth `[U, I]`.
  /// - Throws: `EvaluationError` if a score is not finite or the shapes disagree.
  public func evaluate(
    userMatrix: Matrix, firstUser: Int, itemMatrix: Matrix, trainMask: AdjacencyList,
    splits: [EvaluationSplit]
  ) throws -> [MetricSums] {
    try evaluate(
      userMatrix: userMatrix, users: .consecutive(from: firstUser),
      among: RankedItems(itemMatrix, splits: splits), trainMask: trainMask,
      popularity: popularity(trainMask))
  }

  /// As ``evaluate(userMatrix:firstUser:itemMatrix:trainMask:splits:)``, for one of several blocks
  /// of users.
  ///
  /// - Parameters:
  ///   - users: the ids of the rows of the users' matrix.
  ///   - items: the same for all blocks, ranked by this ranking only.
  ///   - popularity: what ``popularity(_:)`` returns for the training interactions.
  package func evaluate(
    userMatrix: Matrix, users: RankedUsers, among items: RankedItems, trainMask: AdjacencyList,
    popularity: ItemPopularity?
  ) throws -> [MetricSums] {
    var sums = items.splits.map {
      MetricSums(
        split: $0.name, metrics: $0.measured(by: metrics), cutoffs: cutoffs,
        itemCount: items.matrix.rows, withSquares: $0.isSampled)
    }
    try rank(userMatrix, users, items, trainMask) { split, _, hitRanks, count, list in
      sums[split].add(
        hitRanks: hitRanks, truthCount: count, discounts: discounts, list: list,
        popularity: popularity)
    }
    return sums
  }

  /// The metrics of each user of a block, in the order of `splits`: the addends of
  /// ``evaluate(userMatrix:firstUser:itemMatrix:trainMask:splits:)``, with the same parameters and
  /// errors.
  public func evaluateEachUser(
    userMatrix: Matrix, firstUser: Int, itemMatrix: Matrix, trainMask: AdjacencyList,
    splits: [EvaluationSplit]
  ) throws -> [UserMetrics] {
    let none = splits.map {
      MetricSums(
        split: $0.name, metrics: $0.measured(by: self.metrics).filter(\.isPerUser),
        cutoffs: cutoffs)
    }
    let popularity = self.popularity(trainMask)
    var metrics = none.map { UserMetrics(split: $0.split, names: $0.names) }
    let items = RankedItems(itemMatrix, splits: splits)
    try rank(userMatrix, .consecutive(from: firstUser), items, trainMask) {
      split, user, hitRanks, count, list in
      var alone = none[split]
      alone.add(
        hitRanks: hitRanks, truthCount: count, discounts: discounts, list: list,
        popularity: popularity)
      metrics[split].append(user: user, alone.sums)
    }
    return metrics
  }

  /// How many named sums ``MetricSums/keyed`` has in all splits.
  package func sumCount(of splits: [EvaluationSplit]) -> Int {
    splits.reduce(0) { count, split in
      count + 1
        + split.measured(by: metrics).count(where: \.isPerUser) * cutoffs.count
        * (split.isSampled ? 2 : 1)
    }
  }

  /// Whether a metric needs more than the ranks of hits.
  private var needsLists: Bool {
    metrics.contains { !$0.isOfHits }
  }

  /// The popularity of the items; nil if no metric needs it.
  ///
  /// - Parameter train: the training interactions, `[U, I]`.
  package func popularity(_ train: AdjacencyList) -> ItemPopularity? {
    needsLists ? ItemPopularity(train: train) : nil
  }

  /// Ranks the items for each user with items in a split. Calls `visit` for each such split with
  /// the ranks of these items and, if a metric needs it, the whole list: users ascending, the
  /// splits of a user one after the other.
  private func rank(
    _ userMatrix: Matrix, _ users: RankedUsers, _ items: RankedItems, _ trainMask: AdjacencyList,
    visit: (_ split: Int, _ user: Int, _ hitRanks: [Int], _ truthCount: Int, _ list: [Int]) -> Void
  ) throws {
    let splits = items.splits
    try checkShapes(userMatrix, users, items.matrix, [trainMask] + splits.map(\.truth))
    let rows = (0..<userMatrix.rows).filter { row in
      splits.contains { $0.truth.degree(users[row]) > 0 }
    }
    guard let deepest = cutoffs.last, !rows.isEmpty else { return }
    let needsLists = self.needsLists
    let tileCount = (rows.count + tile.users - 1) / tile.users
    let lanes = Lanes.current
    let laneCount = min(lanes.count, tileCount)
    let scratch = items.scratch(lanes: laneCount, depth: deepest, tile: tile)
    // As many tiles at a time as there are lanes: their results are counted in order, so that it
    // does not matter how many that are, and take little memory.
    for first in stride(from: 0, to: tileCount, by: laneCount) {
      let tiles = first..<min(first + laneCount, tileCount)
      lanes.forEach(tiles.count) { position, _ in
        let start = (first + position) * tile.users
        scratch[position].rank(
          rows[start..<min(start + tile.users, rows.count)], of: userMatrix,
          ids: users, trainMask: trainMask, needsLists: needsLists)
      }
      for position in 0..<tiles.count {
        for hits in try scratch[position].results.get() {
          for index in splits.indices {
            let truthCount = splits[index].truth.degree(hits.user)
            guard truthCount > 0 else { continue }
            visit(index, hits.user, hits.ranks[index], truthCount, hits.list)
          }
        }
      }
    }
  }

  private func checkShapes(
    _ userMatrix: Matrix, _ users: RankedUsers, _ itemMatrix: Matrix, _ lists: [AdjacencyList]
  ) throws {
    guard userMatrix.columns == itemMatrix.columns else {
      throw EvaluationError.shapesDisagree(
        "users \(userMatrix.shape) and items \(itemMatrix.shape) have different widths")
    }
    guard itemMatrix.rows <= Int(Int32.max) else {
      throw EvaluationError.shapesDisagree("\(itemMatrix.rows) items are more than 2^31 - 1")
    }
    for list in lists {
      guard
        users.areCovered(userMatrix.rows, by: list.rowCount), list.columnCount == itemMatrix.rows
      else {
        throw EvaluationError.shapesDisagree(
          "interactions of \(list.rowCount) users with \(list.columnCount) items do not cover"
            + " \(userMatrix.rows) users \(users.words) and \(itemMatrix.rows) items")
      }
    }
  }
}

/// The ids of the users that the rows of a matrix are.
package enum RankedUsers: Sendable {
  case consecutive(from: Int)
  case listed(ArraySlice<Int32>)

  subscript(row: Int) -> Int {
    switch self {
    case .consecutive(let first): first + row
    case .listed(let ids): Int(ids[ids.startIndex + row])
    }
  }

  /// Whether there are as many ids as rows, all below a number of users.
  fileprivate func areCovered(_ rows: Int, by userCount: Int) -> Bool {
    switch self {
    case .consecutive(let first):
      let end = first.addingReportingOverflow(rows)
      return first >= 0 && !end.overflow && end.partialValue <= userCount
    case .listed(let ids):
      return ids.count == rows && ids.allSatisfy { $0 >= 0 && Int($0) < userCount }
    }
  }

  /// Such as `from 0`.
  fileprivate var words: String {
    switch self {
    case .consecutive(let first): "from \(first)"
    case .listed(let ids): "of a list of \(ids.count)"
    }
  }
}

/// The items that blocks of users are ranked against, and the memory in which that is done: it is
/// used again for each block.
package final class RankedItems {
  /// The final item matrix, `[I, D]`.
  let matrix: Matrix
  let splits: [EvaluationSplit]
  private var scratch: [TileScratch] = []

  /// - Parameters:
  ///   - matrix: all items, `[I, D]`; its elements must not change between two blocks.
  ///   - splits: at most 32; truth `[U, I]`.
  package init(_ matrix: Matrix, splits: [EvaluationSplit]) {
    self.matrix = matrix
    self.splits = splits
  }

  /// The memory of some lanes. Depth and size of a tile are those of the first call.
  fileprivate func scratch(
    lanes: Int, depth: Int, tile: TiledRanking.TileSize
  ) -> [TileScratch] {
    while scratch.count < lanes {
      scratch.append(
        TileScratch(
          ranking: TiledRanking(items: matrix, depth: depth, tile: tile),
          marks: TruthMarks(itemCount: matrix.rows, splits: splits)))
    }
    return scratch
  }
}

/// The memory in which one lane ranks a tile of users, and what it found.
private final class TileScratch {
  /// What a user's list has of the splits.
  struct Hits {
    let user: Int
    /// For each split, the ranks of its items.
    let ranks: [[Int]]
    /// All items of the list, if a metric needs them.
    let list: [Int]
  }

  private let ranking: TiledRanking
  private var marks: TruthMarks
  private(set) var results: Result<[Hits], any Error> = .success([])

  init(ranking: TiledRanking, marks: TruthMarks) {
    self.ranking = ranking
    self.marks = marks
  }

  /// Ranks the items for some rows of the users' matrix.
  func rank(
    _ selection: ArraySlice<Int>, of users: Matrix, ids: RankedUsers, trainMask: AdjacencyList,
    needsLists: Bool
  ) {
    results = Result {
      try ranking.rank(
        selection, of: users, excluded: selection.map { trainMask[ids[$0]] },
        subject: { "user \(ids[$0])" })
      return selection.enumerated().map { slot, row in
        marks.findHits(of: ids[row], in: ranking.best(slot))
        return Hits(
          user: ids[row], ranks: marks.hitRanks,
          list: needsLists ? ranking.best(slot).map(\.item) : [])
      }
    }
  }
}

/// The interactions that a ranking is measured against.
public struct EvaluationSplit: Sendable {
  /// The splits that models are measured on.
  public static let names = (valid: "valid", test: "test")

  /// `valid` or `test`; the prefix of the metrics' names.
  public let name: String
  /// For each user, the items to be found. Users without items are not part of the split.
  public let truth: AdjacencyList
  /// Whether it is a part of another split, measured by the metrics that are computed from hits.
  private let isGroup: Bool
  /// Whether its users are a sample, so that the precision of its means is measured, too.
  let isSampled: Bool

  public init(name: String, truth: AdjacencyList) {
    self.init(name: name, truth: truth, isGroup: false)
  }

  init(name: String, truth: AdjacencyList, isGroup: Bool, isSampled: Bool = false) {
    self.name = name
    self.truth = truth
    self.isGroup = isGroup
    self.isSampled = isSampled
  }

  /// Those of some metrics that it is measured by.
  func measured(by metrics: [Metric]) -> [Metric] {
    isGroup ? metrics.filter(\.isOfHits) : metrics
  }
}

/// Finds the items of a ranked list that are in the truth of several splits: four bytes per
/// item, one bit per split, set for one user at a time.
struct TruthMarks {
  private let splits: [EvaluationSplit]
  private var marks: [UInt32]
  /// For each split, the ranks (from 1) of the hits last found, ascending.
  private(set) var hitRanks: [[Int]]

  /// - Precondition: at most 32 splits.
  init(itemCount: Int, splits: [EvaluationSplit]) {
    precondition(splits.count <= UInt32.bitWidth, "\(splits.count) splits at once")
    self.splits = splits
    marks = [UInt32](repeating: 0, count: itemCount)
    hitRanks = splits.map { _ in [] }
  }

  /// Finds the ranks of the user's items in `list`.
  mutating func findHits(of user: Int, in list: some Collection<RankedItem>) {
    for (bit, split) in splits.enumerated() {
      hitRanks[bit].removeAll(keepingCapacity: true)
      for item in split.truth[user] { marks[Int(item)] |= 1 << UInt32(bit) }
    }
    var rank = 0
    for entry in list {
      rank += 1
      let found = marks[entry.item]
      guard found != 0 else { continue }
      for bit in splits.indices where found >> UInt32(bit) & 1 == 1 { hitRanks[bit].append(rank) }
    }
    for split in splits {
      for item in split.truth[user] { marks[Int(item)] = 0 }
    }
  }
}
