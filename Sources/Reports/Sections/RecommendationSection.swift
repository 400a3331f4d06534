internal import Datasets
internal import Recommenders
internal import Runtime
internal import Tensors

/// What some users get, next to what they have in the training data.
enum RecommendationSection {
  private static let count = 10

  /// - Throws: errors with a sentence when the model cannot be read.
  static func make(_ model: TrainedModel) throws -> ReportSection? {
    let examples = model.exampleUsers
    guard !examples.isEmpty else { return nil }
    let recommender = try RunRecommender(
      .init(
        run: model.run, count: count, excluded: .training, dataFolder: model.dataFolder,
        style: .dense))
    let lists = try recommender.recommend(toBlocks: [examples.map(\.user)]) { $1 }.flatMap(\.self)
    return ReportSection("recommendations", "Recommendations") {
      HTML.paragraph {
        "The best \(count) items for three users: with the most, a middle and the smallest number"
          + " of training interactions. Items of the training data are left out. Items that the"
          + " user took in the validation or test part are marked: the model has not seen these."
          + (model.hasTitles ? "" : " The data set has no titles, so ids stand here.")
      }
      for (example, list) in zip(examples, lists) {
        HTML.element("h3") {
          "User "
          HTML.foreign(model.name(ofUser: example.user))
          " – \(example.kind), \(items(model.dataset.train.degree(example.user)))"
        }
        HTML.element("div", ["class": "tables"]) {
          history(example.user, model)
          recommended(list, example.user, model, hasReasons: recommender.hasReasons)
        }
      }
    }
  }

  private static func items(_ count: Int) -> String {
    "\(Numbers.count(count)) training item\(count == 1 ? "" : "s")"
  }

  private static func history(_ user: Int, _ model: TrainedModel) -> HTML {
    let items = model.dataset.train[user].map { Int($0) }
    let shown = spread(items)
    return HTMLTable(
      HTML(
        "Training items"
          + (shown.count < items.count
            ? ": \(shown.count) of \(Numbers.count(items.count)), evenly spaced by id" : "")),
      columns: [.text("item"), .number("training users")],
      rows: shown.map { item in
        .init([
          HTML.foreign(model.name(ofItem: item)), HTML(Numbers.count(model.popularity[item])),
        ])
      }
    ).html
  }

  /// At most ``count`` of some items, evenly spaced.
  private static func spread(_ items: [Int]) -> [Int] {
    guard items.count > count else { return items }
    return (0..<count).map { items[$0 * items.count / count] }
  }

  private static func recommended(
    _ list: Recommendation, _ user: Int, _ model: TrainedModel, hasReasons: Bool
  ) -> HTML {
    func mark(_ item: Int) -> String? {
      if model.dataset.test.contains(row: user, column: Int32(item)) { return "test" }
      return model.dataset.valid.contains(row: user, column: Int32(item)) ? "validation" : nil
    }
    return HTMLTable(
      HTML("Recommended"),
      columns: [.number("rank"), .text("item"), .number("training users")]
        + (hasReasons ? [.text("reason")] : []) + [.text("held out")],
      rows: list.items.enumerated().map { rank, item in
        let found = mark(item.item)
        return .init(
          [
            HTML("\(rank + 1)"), HTML.foreign(model.name(ofItem: item.item)),
            HTML(Numbers.count(model.popularity[item.item])),
          ] + (hasReasons ? [HTML(item.reason?.text ?? "–")] : []) + [HTML(found ?? "")],
          isEmphasized: found != nil)
      }
    ).html
  }
}
