internal import Datasets
internal import Experiments
internal import Recommenders
internal import Runtime

/// The items by the vectors of each modality, on a plane, before and after training.
enum MapSection {
  /// The most items that a map shows; of more, a sample is drawn.
  static let mostItems = 2000

  /// - Parameters:
  ///   - stages: the vectors before and after training.
  /// - Returns: nil if no map can be drawn.
  static func make(
    _ model: TrainedModel, _ stages: [(name: String, codes: [ModalityCodes])]
  ) -> ReportSection? {
    guard let modalities = stages.first?.codes.map(\.name), !modalities.isEmpty else { return nil }
    let shown = items(of: model)
    let classes = ItemClasses(model, shown)
    let planes = stages.map { stage in stage.codes.map { PrincipalPlane($0) } }
    guard planes.joined().contains(where: { $0 != nil }) else { return nil }
    return ReportSection("map", "Maps of the modalities") {
      HTML.paragraph {
        "Each point is an item, by the vector of one modality that the model scores with, along the"
          + " two directions in which these vectors differ most. These are principal components"
          + " (PCA), a linear projection: unlike with t-SNE or UMAP, distances are true to scale"
          + " along the two axes, and everything along other directions is left out. Every map has"
          + " axes of its own, so directions of two maps cannot be compared, only their shapes."
      }
      if model.dataset.itemCount > shown.count {
        HTML.paragraph("note") {
          "\(Numbers.count(shown.count)) of \(Numbers.count(model.dataset.itemCount)) items are"
            + " shown, drawn at random; the axes are those of all items."
        }
      }
      HTML.paragraph("note") {
        "Colours: \(classes.title). Numbers are the items of “Nearest neighbours”."
      }
      ChartFigure.list(of: classes.legend)
      for (position, modality) in modalities.enumerated() {
        HTML.element("h3") { modality }
        HTML.element("div", ["class": "pair"]) {
          for (stage, planes) in zip(stages, planes) {
            figure(
              "\(modality), \(stage.name)", position < planes.count ? planes[position] : nil,
              shown, classes, model)
          }
        }
      }
    }
  }

  /// The items of the maps: all, or a sample; the examples are among them.
  private static func items(of model: TrainedModel) -> [Int] {
    let all = Array(0..<model.dataset.itemCount)
    return Set(CatalogueUse.sample(all, count: mostItems) + model.exampleItems.map(\.item)).sorted()
  }

  private static func figure(
    _ title: String, _ plane: PrincipalPlane?, _ shown: [Int], _ classes: ItemClasses,
    _ model: TrainedModel
  ) -> HTML {
    guard let plane else {
      return .paragraph("note") { "\(title): all vectors are equal." }
    }
    let positions = Dictionary(uniqueKeysWithValues: zip(shown, shown.indices))
    let numbered = Dictionary(
      uniqueKeysWithValues: model.exampleItems.enumerated().compactMap { number, example in
        positions[example.item].map { ($0, "\(number + 1)") }
      })
    let map = PointMap(
      points: shown.map { plane.points[$0] }, classes: classes.styles, numbered: numbered,
      axisTitles: [
        "1st component: \(Numbers.percent(plane.shares.x, decimals: 0)) of the variance",
        "2nd component: \(Numbers.percent(plane.shares.y, decimals: 0))",
      ])
    return ChartFigure(
      title, drawing: map.drawing("Map of \(shown.count) items by their vectors of \(title)"),
      caption: HTML(
        "Both axes have \(Numbers.percent(plane.shares.x + plane.shares.y, decimals: 0)) of the"
          + " variance; the vectors spread over \(Numbers.tenths(plane.dimension)) directions"
          + " (participation ratio).")
    ).html
  }
}

/// What colours items have on a map: those of their first category, or of their popularity.
private struct ItemClasses {
  let title: String
  let legend: [ChartFigure.Key]
  /// For each shown item.
  let styles: [Int]

  /// As many categories have a colour of their own; the last style is for all others.
  private static let mostCategories = SeriesStyle.count - 1

  init(_ model: TrainedModel, _ shown: [Int]) {
    let categories = shown.map(model.category)
    var counts: [String: Int] = [:]
    for case let category? in categories { counts[category, default: 0] += 1 }
    guard counts.count > 1 else {
      let groups = InteractionGroup.quartiles(of: model.popularity, .items)
      styles = shown.map { item in
        let group = groups.firstIndex { $0.includes(model.popularity[item]) } ?? 0
        return SeriesStyle.ofDegree(group, of: groups.count)
      }
      title = "how many training interactions an item has, in quartiles of all items"
      legend = groups.enumerated().map {
        .init(
          $0.element.name, style: SeriesStyle.ofDegree($0.offset, of: groups.count), shape: .dot)
      }
      return
    }
    let names = counts.sorted { (-$0.value, $0.key) < (-$1.value, $1.key) }.map(\.key)
      .prefix(Self.mostCategories)
    let known = Dictionary(uniqueKeysWithValues: zip(names, names.indices))
    styles = categories.map { $0.flatMap { known[$0] } ?? SeriesStyle.count - 1 }
    title =
      "the first category of an item"
      + (counts.count > names.count ? ", the \(names.count) most frequent ones" : "")
    legend =
      names.enumerated().map { .init($0.element, style: $0.offset, shape: .dot) }
      + (styles.contains(SeriesStyle.count - 1)
        ? [.init("other or none", style: SeriesStyle.count - 1, shape: .dot)] : [])
  }
}
