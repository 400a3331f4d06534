internal import Experiments
internal import Recommenders

/// Popularity and coverage of what is recommended, and who is served how well.
enum CatalogueSection {
  private static let parts = [0.01, 0.05, 0.1, 0.2, 0.5]

  static func make(_ use: CatalogueUse) -> ReportSection {
    let length = CatalogueUse.listLength
    let items = use.counts.count
    let all = Numbers.count(use.userCount)
    let users =
      use.listedUsers < use.userCount
      ? "\(Numbers.count(use.listedUsers)) of \(all) users, drawn at random"
      : "all \(all) users with training interactions"
    return ReportSection("catalogue", "Popularity and coverage") {
      HTML.paragraph {
        "What the lists of the best \(length) items hold, of \(users). Items that a user has in the"
          + " training data are not in the list."
      }
      HTMLTable(
        HTML("The catalogue in the lists and in the training data"),
        columns: [.text("measure"), .number("top-\(length) lists"), .number("training data")],
        rows: [
          .init([
            HTML("items in at least one list (coverage)"),
            HTML(
              "\(Numbers.count(use.counts.count { $0 > 0 })) of \(Numbers.count(items)), "
                + Numbers.percent(use.coverage)),
            HTML(Numbers.count(use.popularity.count { $0 > 0 })),
          ]),
          .init([
            HTML("Gini index over items (0: all alike, 1: a single one)"),
            HTML(Numbers.metric(use.gini)), HTML(Numbers.metric(use.trainingGini)),
          ]),
          .init([
            HTML("mean training interactions of an item in them"),
            HTML(Numbers.short(use.meanPopularity)),
            HTML(Numbers.short(use.trainingMeanPopularity)),
          ]),
        ]
      ).html
      figure(use)
    }
  }

  private static func figure(_ use: CatalogueUse) -> HTML {
    func series(_ name: String, _ style: Int, _ counts: [Int]) -> LineChart.Series {
      LineChart.Series(
        name, style: style,
        points: use.concentration(of: counts).map { .init($0.items * 100, $0.share * 100) })
    }
    let chart = LineChart(
      xTitle: "% of all items, the most popular ones first", yTitle: "% of interactions or lists",
      series: [
        series("recommended", 0, use.counts), series("training interactions", 1, use.popularity),
      ], size: .wide, isWhole: false)
    return ChartFigure(
      "How much falls on popular items", legend: chart.legend,
      drawing: chart.drawing(
        "Share of lists and of training interactions on the most popular items"),
      caption: HTML(
        "The steeper a curve rises, the more falls on few popular items. Above the curve of the"
          + " training data, recommendations favour popular items more than users do."),
      isWide: true,
      table: HTMLTable(
        "Share on the most popular items",
        columns: [
          .text("most popular items"), .number("recommended"), .number("training interactions"),
        ],
        rows: parts.map { part in
          [Numbers.percent(part, decimals: 0)]
            + [use.counts, use.popularity].map {
              Numbers.percent(use.share(of: $0, onMostPopular: part))
            }
        })
    ).html
  }
}

/// The metrics within groups of users by activity and of items by popularity.
enum GroupSection {
  /// - Throws: errors with a sentence when the run's model or data cannot be used.
  static func make(_ records: RunRecords, dataFolder: String?) throws -> ReportSection? {
    let cutoff = records.selectionMetric.split(separator: "@").last.map(String.init) ?? "20"
    let names = Metric.headline.map { "\($0.name)@\(cutoff)" }
      .filter { records.test[$0] != nil }
    guard !names.isEmpty else { return nil }
    let metrics = try MetricsByGroup.compute(
      run: records.path, split: .test, dataFolder: dataFolder)
    let rows = metrics.groups.compactMap { group -> [String]? in
      let users = metrics.metrics(of: group)
      guard !users.users.isEmpty else { return nil }
      let means = users.means(blockSize: .max)
      return [group.name, Numbers.count(users.users.count)]
        + names.map { Numbers.metric(means[$0]) }
    }
    return ReportSection("groups", "By activity and popularity") {
      HTML.paragraph {
        "Test metrics within quartiles of users by their training interactions, and of items by"
          + " theirs. In a group of items only held-out items of the group are to be found. Items"
          + " with 0 training interactions are cold."
      }
      HTMLTable(
        "Test metrics by training interactions",
        columns: [.text("group"), .number("users")] + names.map { .number($0) }, rows: rows
      ).html
    }
  }
}
