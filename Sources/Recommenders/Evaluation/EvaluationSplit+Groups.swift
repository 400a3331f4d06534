import Datasets
import Tensors

extension EvaluationSplit {
  /// The parts of a split: of users by their training interactions, then of items by theirs, where
  /// *only the held-out items of a group* are to be found. Quartiles of users are those of the
  /// split's users, of items those of all items.
  ///
  /// Where there are cold users or items (``InteractionGroup/coldAndWarm(of:_:)``), these and the
  /// warm ones follow the quartiles of their kind, unless they are one of them.
  ///
  /// A user is part of a group of items with at least one held-out item in the group. The list
  /// still ranks all items.
  ///
  /// Where items lack modalities, the items with all, some and none of them follow.
  ///
  /// - Parameters:
  ///   - train: the training interactions, `[U, I]`.
  ///   - modalities: how many modalities each item has, and how many there are; nil if all have
  ///     all.
  /// - Returns: at most fifteen, with names that ``MeasuredGroup`` reads.
  package func groups(
    train: AdjacencyList, modalities: (counts: [Int], all: Int)? = nil
  ) -> [(group: InteractionGroup, split: EvaluationSplit)] {
    let popularity = ItemPopularity(train: train).counts.map { Int($0) }
    let activity = (0..<truth.rowCount).filter { truth.degree($0) > 0 }.map(train.degree)
    func part(
      _ group: InteractionGroup, _ isIncluded: (_ user: Int, _ item: Int) -> Bool
    ) -> (InteractionGroup, EvaluationSplit) {
      (
        group,
        EvaluationSplit(
          name: MeasuredGroup(split: name, group: group).name, truth: truth.filter(isIncluded),
          isGroup: true)
      )
    }
    func groups(_ counts: [Int], _ kind: InteractionGroup.Kind) -> [InteractionGroup] {
      let quartiles = InteractionGroup.quartiles(of: counts, kind)
      return quartiles
        + InteractionGroup.coldAndWarm(of: counts, kind).filter { !quartiles.contains($0) }
    }
    return groups(activity, .users).map { group in
      part(group) { user, _ in group.includes(train.degree(user)) }
    }
      + groups(popularity, .items).map { group in
        part(group) { _, item in group.includes(popularity[item]) }
      }
      + (modalities.map { modalities in
        InteractionGroup.modalities(of: modalities.counts, all: modalities.all).map { group in
          part(group) { _, item in group.includes(modalities.counts[item]) }
        }
      } ?? [])
  }
}

extension Dataset {
  /// The splits that an evaluation measures: validation, test, and with `groups` the parts of both.
  ///
  /// - Parameter sample: the only users that are ranked; nil for all.
  package func evaluationSplits(
    groups: Bool, sample: EvaluationSample? = nil
  ) -> [EvaluationSplit] {
    // Users outside the sample are not ranked; only the bounds of groups depend on who is in.
    let splits = [(EvaluationSplit.names.valid, valid), (EvaluationSplit.names.test, test)].map {
      name, truth in
      EvaluationSplit(
        name: name, truth: groups ? sample.map(truth.rows) ?? truth : truth, isGroup: false,
        isSampled: sample != nil)
    }
    return splits
      + (groups
        ? splits.flatMap { $0.groups(train: train, modalities: modalityCounts).map(\.split) } : [])
  }
}

/// A part of a split, by the name under which its metrics are recorded: `test users 5-9`.
package struct MeasuredGroup: Sendable, Hashable {
  /// `valid` or `test`.
  package let split: String
  package let group: InteractionGroup

  package init(split: String, group: InteractionGroup) {
    self.split = split
    self.group = group
  }

  package var name: String { "\(split) \(group.kind.rawValue) \(group.fewest)-\(group.most)" }

  /// - Returns: nil for any other text, such as the name of a whole split.
  package init?(name: some StringProtocol) {
    let words = name.split(separator: " ", omittingEmptySubsequences: false)
    guard words.count == 3, let kind = InteractionGroup.Kind(rawValue: String(words[1])) else {
      return nil
    }
    let bounds = words[2].split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
    guard bounds.count == 2, let fewest = bounds[0], let most = bounds[1], fewest <= most else {
      return nil
    }
    self.init(
      split: String(words[0]),
      group: InteractionGroup(kind: kind, fewest: fewest, most: most))
  }
}

extension AdjacencyList {
  /// The pairs that are included.
  fileprivate func filter(_ isIncluded: (_ row: Int, _ column: Int) -> Bool) -> AdjacencyList {
    AdjacencyList(
      rowCount: rowCount, columnCount: columnCount,
      pairs: (0..<rowCount).flatMap { row in
        self[row].filter { isIncluded(row, Int($0)) }.map { (Int32(row), $0) }
      })
  }
}
