import Datasets
import Recommenders
import Tables
import Tensors

/// Which rows of users and items are trained: those with enough training interactions. Gradients of
/// all other rows are dropped before they are pushed, so that these rows keep their initial values,
/// which are functions of the seed and the id; models read them like others.
///
/// That is the counter filter of DeepRec's embedding variables, with two differences: counts are
/// those of the whole training data, so that a row is trained from the first step on or never; and
/// a row that is not admitted has initial values of its own in place of one default.
package struct Admission {
  /// What the rows of a table are.
  private enum Side { case user, item }

  /// By table; nil for tables of neither users nor items.
  private let sides: [Side?]
  private let isUserAdmitted: [Bool]
  private let isItemAdmitted: [Bool]

  /// - Parameter count: the least number of training interactions.
  /// - Returns: nil if all rows are trained.
  init?(of model: TrainingModel, _ dataset: Dataset, from count: Int) {
    guard count > 1 else { return nil }
    sides = Self.sides(of: model, dataset)
    isUserAdmitted = (0..<dataset.userCount).map { dataset.train.degree($0) >= count }
    isItemAdmitted = dataset.trainingCounts.map { $0 >= count }
  }

  /// The table of users or items that a model reads as a whole in every step, so that it has no
  /// rows of a batch; nil if there is none.
  package static func wholeTable(of model: TrainingModel, _ dataset: Dataset) -> String? {
    let sides = sides(of: model, dataset)
    return model.tables.indices.first { table in
      let spec = model.tables[table]
      guard sides[table] == nil, case .optimizer = spec.rule else { return false }
      return [dataset.userCount, dataset.itemCount, dataset.userCount + dataset.itemCount]
        .contains(spec.rows)
    }.map { model.tables[$0].name }
  }

  /// Found by asking the model which rows it needs for two batches of other users and items.
  private static func sides(of model: TrainingModel, _ dataset: Dataset) -> [Side?] {
    let (users, items) = (Int32(dataset.userCount), Int32(dataset.itemCount))
    guard items > 1 else { return model.tables.map { _ in nil } }
    let batches = [
      TripletBatch(users: [0], positives: [0], negatives: [1], globalCount: 1),
      TripletBatch(
        users: [users - 1], positives: [items - 2], negatives: [items - 1], globalCount: 1),
    ]
    let selections = batches.map { model.rows(for: $0) }
    return model.tables.indices.map { table in
      func areAll(_ wanted: (TripletBatch) -> [Int32]) -> Bool {
        zip(batches, selections).allSatisfy { $1[table] == .listed(wanted($0)) }
      }
      return areAll(\.distinctUsers) ? .user : areAll(\.distinctItems) ? .item : nil
    }
  }

  /// The positions of the rows that are trained, among some rows of a table; nil for all of them.
  func positions(among rows: [Int32], table: Int) -> [Int]? {
    guard let side = sides[table] else { return nil }
    let isAdmitted = side == .user ? isUserAdmitted : isItemAdmitted
    let kept = rows.indices.filter { isAdmitted[Int(rows[$0])] }
    return kept.count == rows.count ? nil : kept
  }
}
