internal import Configuration
internal import Datasets
internal import Foundation
internal import Recommenders
internal import Runtime
internal import Settings
internal import Tensors

/// The best model of a run with the data that it was trained on.
struct TrainedModel: Sendable {
  let run: String
  let dataset: Dataset
  /// Where the data is; nil: where it was.
  let dataFolder: String?
  let epoch: Int
  /// Final vectors, `[I, D]`.
  let items: Matrix
  /// How many training interactions each item has, `[I]`.
  let popularity: [Int]
  private let identifiers: OriginalIdentifiers

  /// - Parameter dataFolder: where the data is, if it was moved after training.
  /// - Throws: errors with a sentence when there is no model yet, or the data is missing or has
  ///   changed.
  init(run: String, dataFolder: String?) throws {
    self.run = run
    self.dataFolder = dataFolder
    _ = try BestModel.read(run: run)
    let trained = try TrainedData(
      run: run, moved: dataFolder, for: "report on '\(run)'", alternative: nil)
    let dataset = trained.dataset
    let model = try BestModel.using(run: run) { best in
      (best, try best.vectors(.item, run: run))
    }
    guard model.1.rows == dataset.itemCount else {
      throw ReportError(
        .dataMalformed,
        "Cannot report on '\(run)': its model has \(model.1.rows) items, and its data "
          + "\(dataset.itemCount). Restore the run from a copy, or train again.")
    }
    self.dataset = dataset
    (epoch, items) = (Int(model.0.epoch), model.1)
    identifiers = try OriginalIdentifiers(of: trained, trainedWith: model.0.identifiers)
    popularity = dataset.trainingCounts
  }

  var hasTitles: Bool { identifiers.items?.columns.contains(.title) ?? false }

  /// How an item is shown: by its title, else its id, else its row.
  func name(ofItem item: Int) -> String {
    identifiers.items?.value(.title, of: item) ?? identifiers.items?.id(of: item)
      ?? "item \(item)"
  }

  /// How a user is shown: by the original id, else the row.
  func name(ofUser user: Int) -> String { identifiers.users?.id(of: user) ?? "\(user)" }

  /// The first category of an item; nil if none is known.
  func category(ofItem item: Int) -> String? {
    guard let items = identifiers.items, items.columns.contains(.categories) else { return nil }
    return items.categories(of: item).first { !$0.isEmpty }
  }

  /// Some of the items with training interactions: two of the most popular, two in the middle and
  /// two of the rarest, by popularity, then row. Fewer if there are fewer items.
  var exampleItems: [(kind: String, item: Int)] {
    let sorted = popularity.indices.filter { popularity[$0] > 0 }.sorted {
      (-popularity[$0], $0) < (-popularity[$1], $1)
    }
    let count = sorted.count
    let places: [(String, Int)] = [
      ("most popular", 0), ("most popular", 1), ("middle", count / 2), ("middle", count / 2 + 1),
      ("rare", count - 2), ("rare", count - 1),
    ]
    var seen: Set<Int> = []
    return places.filter { sorted.indices.contains($0.1) && seen.insert($0.1).inserted }
      .map { ($0.0, sorted[$0.1]) }
  }

  /// Some of the users with test items: the one with the most training interactions, one in the
  /// middle, and the one with the fewest; with equal numbers, by row.
  var exampleUsers: [(kind: String, user: Int)] {
    let train = dataset.train
    let sorted = (0..<dataset.userCount)
      .filter {
        train.degree($0) > 0 && (dataset.test.degree($0) > 0 || dataset.test.columns.isEmpty)
      }
      .sorted { (-train.degree($0), $0) < (-train.degree($1), $1) }
    var seen: Set<Int> = []
    return [
      ("the most data", 0), ("a middle", sorted.count / 2), ("the least data", sorted.count - 1),
    ]
    .filter { sorted.indices.contains($0.1) && seen.insert($0.1).inserted }
    .map { ($0.0, sorted[$0.1]) }
  }
}
