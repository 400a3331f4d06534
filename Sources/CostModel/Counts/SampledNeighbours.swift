import Configuration
import Foundation

/// The expected numbers of distinct users and items that a sampled mode of a graph model reads: the
/// batch's rows, and the neighbours that are drawn for them layer by layer.
///
/// A layer draws min(f, d) of the d neighbours of each node that the layer before has reached. With
/// A edges drawn for all items together, of the E that there are, an edge of a user is among them
/// with probability A/E, so that
///
///     P(user u is reached) = 1 − (1 − A/E)^d_u,    A = Σ_i P(item i was reached) · min(f, d_i)
///
/// and likewise for items. That is exact in the mean if edges are as in a random graph with these
/// degrees; rows that several layers reach count once, as if layers were independent.
package struct SampledNeighbours: Sendable, Equatable {
  /// Neighbours of a node, by layer.
  package let fanOuts: [Int]

  /// - Precondition: at least one layer, and fan-outs above 0.
  package init(fanOuts: [Int]) {
    precondition(!fanOuts.isEmpty && fanOuts.allSatisfy { $0 > 0 }, "fan-outs \(fanOuts)")
    self.fanOuts = fanOuts
  }

  /// The sampling that a configuration asks for; nil if its model reads whole tables or no graph.
  ///
  /// The settings are looked up by name, so that models without them have none.
  init?(_ configuration: RunConfiguration) {
    guard configuration.value(of: "graph_mode") == "sampled",
      let text = configuration.value(of: "fanouts")
    else { return nil }
    let numbers = text.split { !$0.isNumber }.compactMap { Int($0) }.filter { $0 > 0 }
    let layers = configuration.value(of: "n_layers").flatMap { Int($0) } ?? numbers.count
    guard let last = numbers.last, layers > 0 else { return nil }
    fanOuts = (0..<layers).map { $0 < numbers.count ? numbers[$0] : last }
  }

  /// The distinct rows of a part of a batch, with all neighbours.
  ///
  /// - Parameter triplets: of the part.
  package func rows(in triplets: Double, of counts: InteractionCounts) -> DistinctRows {
    let edges = max(1, counts.total)
    let share = min(1, triplets / edges)
    let pool = counts.poolSize
    let absent = pool > 1 ? exp(triplets * log1p(-1 / pool)) : 0
    // Of a row of each group: that the last layer has reached it, and that none has.
    var users = counts.users.map { 1 - pow(1 - share, $0.degree) }
    var items = counts.items.map {
      $0.degree > 0 ? 1 - pow(1 - share, $0.degree) * absent : 0
    }
    var (noUsers, noItems) = (users.map { 1 - $0 }, items.map { 1 - $0 })
    for fanOut in fanOuts {
      func drawn(_ groups: [InteractionCounts.Group], _ reached: [Double]) -> Double {
        zip(groups, reached).reduce(0) {
          $0 + $1.0.count * $1.1 * min(Double(fanOut), $1.0.degree)
        } / edges
      }
      let (ofUsers, ofItems) = (drawn(counts.users, users), drawn(counts.items, items))
      users = counts.users.map { 1 - pow(max(0, 1 - ofItems), $0.degree) }
      items = counts.items.map { 1 - pow(max(0, 1 - ofUsers), $0.degree) }
      for (group, reached) in users.enumerated() { noUsers[group] *= 1 - reached }
      for (group, reached) in items.enumerated() { noItems[group] *= 1 - reached }
    }
    func sum(_ groups: [InteractionCounts.Group], _ none: [Double]) -> Double {
      zip(groups, none).reduce(0) { $0 + $1.0.count * (1 - $1.1) }
    }
    return DistinctRows(users: sum(counts.users, noUsers), items: sum(counts.items, noItems))
  }
}
