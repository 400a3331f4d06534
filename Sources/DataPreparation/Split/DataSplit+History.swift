import Datasets

extension DataSplit {
  /// The step that the history of the new folder gets: every setting that decided the result, and
  /// the numbers before and after.
  func step(_ summary: SplitSummary) -> DatasetHistory.Step {
    var fields: [DatasetHistory.Field] = []
    let add = { (key: String, value: String?) in
      if let value { fields.append(.init(key, value)) }
    }
    add("by", method.name)
    switch method {
    case .random(let ratios), .userTime(let ratios):
      // MMRec's counts are SplitRule.
      add("ratios", ratios?.text ?? "mmrec")
    case .coldItems(let ratios), .coldUsers(let ratios): add("ratios", ratios.text)
    case .leaveOneOut: add("order", summary.isOrderRandom ? "random" : "time")
    case .time(let cut):
      if case .ratios(let ratios) = cut { add("ratios", ratios.text) }
      add("valid_from", summary.cut.map { Self.number($0.valid) })
      add("test_from", summary.cut.map { Self.number($0.test) })
    }
    add("seed", "\(seed)")
    add("minimum_rating", minimumRating.map { Self.number(Double($0)) })
    add("duplicates", duplicates.rawValue)
    add("user_core", userCore > 1 ? "\(userCore)" : nil)
    add("item_core", itemCore > 1 ? "\(itemCore)" : nil)
    add("cold_items", stayingColdItems ? "kept" : "dropped")
    add("interactions_read", "\(summary.interactionsRead)")
    add("below_minimum_rating", minimumRating == nil ? nil : "\(summary.belowMinimumRating)")
    add("repetitions", "\(summary.duplicates)")
    add("outside_core", userCore > 1 || itemCore > 1 ? "\(summary.outsideCore)" : nil)
    add("users", "\(summary.users)")
    add("items", "\(summary.items)")
    add("train", "\(summary.train)")
    add("valid", "\(summary.valid)")
    add("test", "\(summary.test)")
    return DatasetHistory.Step("split", fields: fields)
  }

  /// A number without a point if it is whole.
  private static func number(_ value: Double) -> String {
    Int64(exactly: value).map { "\($0)" } ?? "\(value)"
  }
}
