/// How popular the recommended items are in the training data, whether or not users find theirs.
extension Metric {
  /// The mean, over the items of a user's list, of the number of training interactions that the
  /// item is in: the average recommendation popularity (ARP).
  ///
  /// - Source: Yin et al. 2012, "Challenging the long tail recommendation" (PVLDB 5); ARP
  ///   in Abdollahpouri, Burke and Mobasher 2019, "Managing popularity bias in recommender systems
  ///   with personalized re-ranking" (FLAIRS-32), and RecBole's `AveragePopularity`.
  public static let popularity = Metric(
    "popularity", ranksModels: false, isStandard: false,
    summary: "the mean number of training interactions of the recommended items",
    .list { list in
      let sum = list.items.reduce(0) { $0 + Int(list.popularity.counts[$1]) }
      return Double(sum) / Double(max(1, list.items.count))
    })

  /// The mean, over the items of a user's list, of the item's self-information log₂(U / c_i) in
  /// bits: U is the number of users, c_i of how many an item is in the training interactions. So it
  /// says how unlikely it is that a user who is drawn at random has the item. An item without
  /// training interactions counts as if it had one, and so is as novel as the rarest others.
  ///
  /// - Source: Zhou et al. 2010, "Solving the apparent diversity-accuracy dilemma of recommender
  ///   systems" (PNAS 107), surprisal. Vargas and Castells 2011, "Rank and relevance in novelty and
  ///   diversity metrics" (RecSys), take the share of all interactions in place of the share
  ///   of users for their free discovery: that is greater by log₂(interactions / U) for every list.
  public static let novelty = Metric(
    "novelty", ranksModels: false, isStandard: false,
    summary: "the mean self-information of the recommended items, in bits: log2 of 1 / the share"
      + " of users that have the item",
    .list { list in
      let sum = list.items.reduce(0.0) { $0 + list.popularity.selfInformation[$1] }
      return sum / Double(max(1, list.items.count))
    })

  /// The share of a user's list that is of the long tail (``ItemPopularity/isTail``): the average
  /// percentage of long-tail items (APLT), as a share.
  ///
  /// - Source: APLT in Abdollahpouri, Burke and Mobasher 2017, "Controlling popularity bias in
  ///   learning-to-rank recommendation" (RecSys), and 2019, "Managing popularity bias …".
  public static let tail = Metric(
    "tail", ranksModels: false, isStandard: false,
    summary: "the share of a list that is of the long tail, the items outside the most popular ones"
      + " with 80 % of the training interactions",
    .list { list in
      let count = list.items.count { list.popularity.isTail[$0] }
      return Double(count) / Double(max(1, list.items.count))
    })
}
