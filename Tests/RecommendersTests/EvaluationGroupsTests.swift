import Recommenders
import Tensors
import Testing

/// The parts of a split: groups of users by activity, and of items by popularity.
@Suite struct EvaluationGroupsTests {
  private static let data = RandomRankingData(userCount: 40, itemCount: 120, seed: 21)

  private static func groups(_ split: EvaluationSplit) -> [(InteractionGroup, EvaluationSplit)] {
    split.groups(train: data.train).map { ($0.group, $0.split) }
  }

  /// The groups that share out the users of a split, or all items.
  private static func quartiles(
    of split: EvaluationSplit, _ kind: InteractionGroup.Kind
  ) -> [InteractionGroup] {
    let counts =
      kind == .users
      ? (0..<split.truth.rowCount).filter { split.truth.degree($0) > 0 }.map(data.train.degree)
      : ItemPopularity(train: data.train).counts.map { Int($0) }
    return InteractionGroup.quartiles(of: counts, kind)
  }

  private static func pairs(_ list: AdjacencyList) -> [[Int]] {
    (0..<list.rowCount).flatMap { row in list[row].map { [row, Int($0)] } }
  }

  @Test("users and items are shared out: every held-out item is in one group of either kind")
  func partition() throws {
    for split in Self.data.splits {
      let groups = Self.groups(split)
      for kind in [InteractionGroup.Kind.users, .items] {
        // The cold and the warm ones are counted once more, in groups of their own.
        let quartiles = Self.quartiles(of: split, kind)
        let parts = groups.filter { quartiles.contains($0.0) }
        #expect(parts.count > 1 && parts.count == quartiles.count)
        let pairs = parts.flatMap { Self.pairs($0.1.truth) }
        #expect(pairs.sorted { $0.lexicographicallyPrecedes($1) } == Self.pairs(split.truth))
      }
      for (group, part) in groups {
        for pair in Self.pairs(part.truth) {
          let count =
            group.kind == .users
            ? Self.data.train.degree(pair[0])
            : (0..<40).count { Self.data.train.contains(row: $0, column: Int32(pair[1])) }
          #expect(group.includes(count))
        }
      }
    }
  }

  @Test("sums of blocks have hits alone, equal those of single users, and leave the others as is")
  func sums() throws {
    let split = Self.data.splits[1]
    let parts = Self.groups(split).map(\.1)
    let ranking = FullRanking(cutoffs: [5, 20], metrics: Metric.all)
    func sums(_ splits: [EvaluationSplit]) throws -> [MetricSums] {
      try ranking.evaluate(
        userMatrix: Self.data.users, firstUser: 0, itemMatrix: Self.data.items,
        trainMask: Self.data.train, splits: splits)
    }
    let whole = try sums([split])
    let together = try sums([split] + parts)
    #expect(together[0] == whole[0])
    let users = try ranking.evaluateEachUser(
      userMatrix: Self.data.users, firstUser: 0, itemMatrix: Self.data.items,
      trainMask: Self.data.train, splits: parts)
    for (part, alone) in zip(together.dropFirst(), users) {
      #expect(part.values() == alone.means(blockSize: .max))
      #expect(part.names.contains("hit@20") && !part.names.contains("popularity@20"))
      #expect(part.keyedExposures.isEmpty)
    }
    let count = together.reduce(0) { $0 + $1.keyed.count }
    #expect(ranking.sumCount(of: [split] + parts) == count)
    // Precision sums up over the groups of one kind, which share the hits.
    let items = zip(parts, together.dropFirst()).filter { $0.0.name.contains("items") }
    let hits = items.reduce(0) { $0 + ($1.1.keyed["\($1.0.name).precision@20"] ?? 0) }
    #expect(abs(hits - (whole[0].keyed["test.precision@20"] ?? 0)) < 1e-12)
  }

  @Test("where there are cold items or users, the warm ones are a group of their own")
  func warm() throws {
    func parts(_ train: [(Int32, Int32)], _ truth: [(Int32, Int32)]) -> [String: [[Int]]] {
      let split = EvaluationSplit(
        name: "test", truth: AdjacencyList(rowCount: 3, columnCount: 5, pairs: truth))
      let groups = split.groups(
        train: AdjacencyList(rowCount: 3, columnCount: 5, pairs: train))
      return Dictionary(
        uniqueKeysWithValues: groups.map { ($0.group.name, Self.pairs($0.split.truth)) })
    }
    // Items 3 and 4 are cold, and so is user 2.
    let train: [(Int32, Int32)] = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 2), (2, 0)]
    let found = parts(train, [(0, 3), (1, 1), (1, 4), (2, 1), (2, 3)])
    #expect(found["items with 0"] == [[0, 3], [1, 4], [2, 3]])
    #expect(found["items with 1–3"] == [[1, 1], [2, 1]])
    #expect(found["users with 1"] == [[2, 1], [2, 3]])
    #expect(found["users with 2–3"] == [[0, 3], [1, 1], [1, 4]])
    // Without cold ones there are no further groups.
    let all = parts((0..<5).flatMap { item in [(0, item), (1, item)] }, [(0, 1)])
    #expect(Set(all.keys) == ["users with 5", "items with 2"])
  }

  @Test("the name of a group in records is read back, and others are no groups")
  func names() throws {
    let group = MeasuredGroup(
      split: "test", group: InteractionGroup(kind: .items, fewest: 0, most: 12))
    #expect(group.name == "test items 0-12")
    #expect(MeasuredGroup(name: group.name) == group)
    for name in [
      "test", "valid", "", "test items", "test things 0-1", "test items 3-1", "test items 1",
      "test items -1-1", "test items 1-2 3", "test items a-b",
    ] {
      #expect(MeasuredGroup(name: name) == nil, "\(name)")
    }
  }
}
