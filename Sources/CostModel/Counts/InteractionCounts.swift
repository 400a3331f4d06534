import Datasets
import Foundation
import Tensors

/// How often users and items occur in the training interactions: what decides how many distinct
/// rows a batch has.
package struct InteractionCounts: Sendable, Equatable {
  /// Rows that occur equally often.
  package struct Group: Sendable, Equatable {
    /// Training interactions of each.
    package let degree: Double
    /// How many rows have so many.
    package let count: Double

    package init(degree: Double, count: Double) {
      self.degree = degree
      self.count = count
    }
  }

  package let users: [Group]
  package let items: [Group]

  package init(users: [Group], items: [Group]) {
    self.users = users
    self.items = items
  }

  /// E, the number of training interactions.
  package var total: Double { users.reduce(0) { $0 + $1.degree * $1.count } }
  package var userCount: Double { users.reduce(0) { $0 + $1.count } }
  package var itemCount: Double { items.reduce(0) { $0 + $1.count } }

  /// Items with at least one training interaction: negatives are drawn from them.
  var poolSize: Double { items.reduce(0) { $0 + ($1.degree > 0 ? $1.count : 0) } }

  /// The counts of a data set.
  package init(_ dataset: Dataset) {
    users = Self.groups((0..<dataset.userCount).lazy.map { dataset.train.degree($0) })
    items = Self.groups(dataset.trainingCounts)
  }

  private static func groups(_ degrees: some Sequence<Int>) -> [Group] {
    var counts: [Int: Int] = [:]
    for degree in degrees { counts[degree, default: 0] += 1 }
    return counts.sorted { $0.key < $1.key }.map {
      Group(degree: Double($0.key), count: Double($0.value))
    }
  }
}

/// The popularity of items where there is no data to count.
package enum PopularityLaw: Sendable, Equatable {
  /// All items are equally popular.
  case uniform
  /// The i-th of the items has a share in proportion to i^−exponent.
  case zipf(exponent: Double)
}

extension InteractionCounts {
  /// Counts that follow a law: a user has half to one and a half times the mean, as in generated
  /// data, and items have shares by their rank.
  ///
  /// - Precondition: all numbers are positive.
  package init(users: Int, items: Int, interactions: Int, popularity: PopularityLaw) {
    let mean = Double(interactions) / Double(users)
    // Eight groups of users with the same mean as the continuous distribution.
    self.users = (0..<8).map { group in
      Group(degree: mean * (0.5 + (Double(group) + 0.5) / 8), count: Double(users) / 8)
    }
    self.items = Self.items(
      items, interactions: Double(interactions), most: Double(users), popularity)
  }

  private static func items(
    _ count: Int, interactions: Double, most: Double, _ law: PopularityLaw
  ) -> [Group] {
    guard case .zipf(let exponent) = law else {
      return [Group(degree: interactions / Double(count), count: Double(count))]
    }
    // The first items one by one, later ones in groups of neighbouring ranks.
    var ranks: [(middle: Double, count: Double)] = []
    var first = 1
    while first <= count {
      let end = min(count, first <= 1000 ? first : first + first / 100)
      ranks.append((Double(first + end) / 2, Double(end - first + 1)))
      first = end + 1
    }
    let weights = ranks.map { pow($0.middle, -exponent) }
    let sum = zip(weights, ranks).reduce(0) { $0 + $1.0 * $1.1.count }
    return zip(weights, ranks).map { weight, rank in
      // A user has an item once.
      Group(degree: min(most, interactions * weight / sum), count: rank.count)
    }
  }
}
