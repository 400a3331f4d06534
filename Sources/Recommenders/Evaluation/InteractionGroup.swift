/// Users or items whose numbers of training interactions are alike, or items by the number of their
/// modalities.
///
/// Quartiles: the k-th group ends at the smallest number that at least k quarters of the users (or
/// items) do not exceed. Those with equal numbers are always in one group, so groups may be of
/// different sizes, and fewer than four. Items without training interactions are a group of their
/// own, before the quartiles of the others: to the model they are cold.
///
/// - Source: groups of users by activity as in Wang et al. 2019, "Neural graph collaborative
///   filtering", §4.3.2 (arXiv:1905.08108), of items by popularity as in Wu et al. 2021,
///   "Self-supervised graph learning for recommendation", §4.3.1 (arXiv:2010.10783). Deviation: the
///   papers cut where the sums of interactions are equal, here groups have equally many members.
package struct InteractionGroup: Sendable, Hashable, Encodable {
  package enum Kind: String, Sendable, Encodable {
    case users
    case items
    /// Items by how many modalities they have: all, some, or none.
    case modalities
  }

  package let kind: Kind
  /// The fewest training interactions of a member, or the fewest modalities.
  package let fewest: Int
  /// The most training interactions of a member, or the most modalities.
  package let most: Int

  package init(kind: Kind, fewest: Int, most: Int) {
    self.kind = kind
    self.fewest = fewest
    self.most = most
  }

  package func includes(_ count: Int) -> Bool { (fewest...most).contains(count) }

  /// The cold members and the warm ones, if there are both: items without training interactions,
  /// and users with a single one, without which no model could rank for them, and the others.
  ///
  /// - Parameter counts: the number of training interactions of each.
  package static func coldAndWarm(of counts: [Int], _ kind: Kind) -> [InteractionGroup] {
    let coldest = kind == .items ? 0 : 1
    guard let fewest = counts.min(), fewest <= coldest, let most = counts.max(), most > coldest
    else { return [] }
    return [
      InteractionGroup(kind: kind, fewest: fewest, most: coldest),
      InteractionGroup(kind: kind, fewest: coldest + 1, most: most),
    ]
  }

  /// `users with 5–9`, `items with 0`, or `items of 2 modalities`.
  package var name: String {
    if kind == .modalities {
      return "items of \(fewest)" + (most > fewest ? "–\(most)" : "")
        + (most == 1 ? " modality" : " modalities")
    }
    return "\(kind.rawValue) with \(fewest)" + (most > fewest ? "–\(most)" : "")
  }

  /// Items with no modality, with some, and with all, as far as there are any; ascending.
  ///
  /// - Parameters:
  ///   - counts: how many modalities each item has.
  ///   - all: how many there are.
  package static func modalities(of counts: [Int], all: Int) -> [InteractionGroup] {
    let ranges = [0...0] + (all > 1 ? [1...(all - 1)] : []) + [all...all]
    return ranges.filter { counts.contains(where: $0.contains) }
      .map { InteractionGroup(kind: .modalities, fewest: $0.lowerBound, most: $0.upperBound) }
  }

  /// The groups of some members, ascending.
  ///
  /// - Parameter counts: the number of training interactions of each.
  package static func quartiles(of counts: [Int], _ kind: Kind) -> [InteractionGroup] {
    var groups: [InteractionGroup] = []
    var sorted = counts.sorted()[...]
    if kind == .items, sorted.first == 0 {
      groups.append(InteractionGroup(kind: kind, fewest: 0, most: 0))
      sorted = sorted.drop { $0 == 0 }
    }
    let all = Array(sorted)
    var first = 0
    for quarter in stride(from: 1, through: 4, by: 1) where !all.isEmpty {
      let last = all[(quarter * all.count + 3) / 4 - 1]
      guard first < all.count, last >= all[first] else { continue }
      groups.append(InteractionGroup(kind: kind, fewest: all[first], most: last))
      first = all.firstIndex { $0 > last } ?? all.count
    }
    return groups
  }
}
