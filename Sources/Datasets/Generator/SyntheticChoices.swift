import Tensors

/// Draws the interactions of a generated data set.
struct SyntheticChoices {
  let configuration: SyntheticConfiguration
  /// p, `[U, Q]`.
  let users: Matrix
  /// q, `[I, Q]`.
  let items: Matrix

  init(_ configuration: SyntheticConfiguration, users: Matrix, items: Matrix) {
    self.configuration = configuration
    self.users = users
    self.items = items
  }

  /// Every item is chosen at least once, so that item ids are dense: an item without interactions
  /// goes to the user with the highest score for it.
  func interactions() -> Interactions {
    let draws = SyntheticDraws(seed: configuration.seed)
    var chosen: [[Int32]] = []
    var isChosen = [Bool](repeating: false, count: items.rows)
    var closest = [(score: Float, user: Int)](repeating: (-.infinity, 0), count: items.rows)
    for user in 0..<users.rows {
      var scores = scores(of: user)
      draws.addGumbel(to: &scores, user: user)
      for (item, score) in scores.enumerated() where score > closest[item].score {
        closest[item] = (score, user)
      }
      let best = Self.largest(interactionCount(of: user, draws), in: scores)
      for item in best { isChosen[item] = true }
      chosen.append(best.map { Int32(truncatingIfNeeded: $0) })
    }
    for item in isChosen.indices where !isChosen[item] {
      chosen[closest[item].user].append(Int32(truncatingIfNeeded: item))
    }
    return split(chosen)
  }

  /// sharpness · ⟨p_u, q_i⟩ / ‖w‖ for all items, `[I]`.
  private func scores(of user: Int) -> [Float] {
    let factor = configuration.sharpness / configuration.preferenceVariance.squareRoot()
    let taste = users.row(user)
    return (0..<items.rows).map { item in
      var sum: Float = 0
      for (p, q) in zip(taste, items.row(item)) { sum += p * q }
      return factor * sum
    }
  }

  private func interactionCount(of user: Int, _ draws: SyntheticDraws) -> Int {
    let mean = configuration.interactionsPerUser
    let spread = mean / 2
    let random = draws.random(.interactionCount)
    return mean - spread + random.integer(below: 2 * spread + 1, id: user)
  }

  /// The positions of the `count` largest scores, largest first.
  ///
  /// Keeps the best so far in order; after the first few, hardly any score gets in.
  static func largest(_ count: Int, in scores: [Float]) -> [Int] {
    var best: [Int] = []
    best.reserveCapacity(count + 1)
    for (index, score) in scores.enumerated() {
      if best.count == count, let last = best.last, score <= scores[last] { continue }
      let place = best.firstIndex { scores[$0] < score } ?? best.count
      best.insert(index, at: place)
      if best.count > count { best.removeLast() }
    }
    return best
  }

  private func split(_ chosen: [[Int32]]) -> Interactions {
    var users: [Int32] = []
    var items: [Int32] = []
    var labels: [SplitLabel] = []
    for (user, list) in chosen.enumerated() {
      users += [Int32](repeating: Int32(truncatingIfNeeded: user), count: list.count)
      items += list.sorted()
      labels += SplitRule.labels(count: list.count, user: user, seed: configuration.seed)
    }
    return Interactions(
      source: configuration.name, users: users, items: items, labels: labels, lines: nil)
  }
}
