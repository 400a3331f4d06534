internal import Recommenders
internal import Runtime

/// The nearest neighbours of some items: by the vectors that rank, and by each modality's.
enum NeighbourSection {
  private static let count = 5

  /// - Parameter codes: the vectors of the modalities after training; may be empty.
  static func make(_ model: TrainedModel, _ codes: [ModalityCodes]) -> ReportSection? {
    let examples = model.exampleItems
    guard !examples.isEmpty else { return nil }
    let spaces =
      [("final vectors", NearestItems(model.items))]
      + codes.map { ($0.name, NearestItems($0.vectors)) }
    let modalities = codes.isEmpty ? "" : ", and by the vectors of each modality after training"
    let titles = model.hasTitles ? "" : " The data set has no titles, so ids stand here."
    return ReportSection("neighbours", "Nearest neighbours") {
      HTML.paragraph {
        """
        The \(count) items whose vectors have the largest cosine with that of an item: by the \
        final vectors, which rank\(modalities). Items are the two most popular, two in the middle \
        and the two rarest of the training data.\(titles)
        """
      }
      for (number, example) in examples.enumerated() {
        table(number + 1, example.kind, example.item, model, spaces)
      }
    }
  }

  private static func table(
    _ number: Int, _ kind: String, _ item: Int, _ model: TrainedModel,
    _ spaces: [(name: String, nearest: NearestItems)]
  ) -> HTML {
    let neighbours = spaces.map { $0.nearest.nearest(to: item, count: count) }
    return HTMLTable(
      HTML([
        HTML.element("b") {
          "\(number) "
          HTML.foreign(model.name(ofItem: item))
        },
        HTML(
          " – \(kind), \(Numbers.count(model.popularity[item])) training"
            + " interaction\(model.popularity[item] == 1 ? "" : "s")"),
      ]),
      columns: [.number("rank")] + spaces.flatMap { [.text("by \($0.name)"), .number("cosine")] },
      rows: (0..<(neighbours.map(\.count).max() ?? 0)).map { rank in
        .init([HTML("\(rank + 1)")] + neighbours.flatMap { cells(rank, of: $0, model) })
      }
    ).html
  }

  private static func cells(
    _ rank: Int, of list: [NearestItems.Neighbour], _ model: TrainedModel
  ) -> [HTML] {
    guard rank < list.count else { return [HTML("–"), HTML()] }
    return [
      HTML.foreign(model.name(ofItem: list[rank].item), atMost: 60),
      HTML(Numbers.cosine(list[rank].cosine)),
    ]
  }
}
