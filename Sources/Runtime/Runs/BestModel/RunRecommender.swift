import Checkpoints
import Configuration
import Datasets
import Files
import Foundation
import Recommenders
import Settings
import Tables
import Tensors

/// Recommends to any number of users by a run's best model. Everything is read once.
package final class RunRecommender {
  /// What is asked for, for all users.
  package struct Request: Sendable {
    package var run: String
    /// How many items a user gets.
    package var count: Int
    package var excluded: Excluded
    /// Where the data is, if it was moved after training.
    package var dataFolder: String?
    package var style: IdentifierStyle
    /// A folder with features of items that came after training, which are ranked in place of those
    /// of the data; nil ranks those of the data.
    package var newItems: String?

    package init(
      run: String, count: Int, excluded: Excluded, dataFolder: String?, style: IdentifierStyle,
      newItems: String? = nil
    ) {
      self.newItems = newItems
      self.run = run
      self.count = count
      self.excluded = excluded
      self.dataFolder = dataFolder
      self.style = style
    }
  }

  /// Which items of a user are not recommended.
  package enum Excluded: Sendable {
    case nothing
    /// Those of the training data.
    case training
    /// Those of the validation and test data, too.
    case everything
  }

  /// What is read of the best model.
  private struct Model {
    let epoch: UInt32
    let identifiers: IdentifierDigests?
    /// `[U, D]`; rows are read when they are needed.
    let users: NPYFile
    /// `[I, D]`.
    let items: Matrix
    let attribution: ScoreAttribution?
    /// Nil if the items are those of the data.
    let newItems: NewItems?
  }

  /// The most users of a block.
  package static let blockSize = BlockRecommender.blockSize

  private let request: Request
  private let model: Model
  /// One for each block that is ranked at the same time; made when they are needed.
  private var recommenders: [BlockRecommender] = []
  /// Nil if it is not there and not needed.
  private let data: Dataset?
  /// For each item; nil without data.
  private let trainingCounts: [Int]?
  private let identifiers: OriginalIdentifiers
  /// Why original ids are not known although they were asked for, or which modalities no new item
  /// has; nil if there is nothing to say.
  package let note: String?

  /// - Throws: errors with a sentence when the run has no model, or the data is needed and missing.
  package init(_ request: Request) throws {
    guard request.count > 0 else {
      throw RuntimeError(
        exitCode: .usage,
        message: "Cannot recommend \(request.count) items: ask for at least one (--top).")
    }
    self.request = request
    let run = request.run
    _ = try BestModel.read(run: run)
    let trained: TrainedData?
    var problem: String?
    do {
      trained = try Self.data(request)
    } catch {
      // Without the data, items that users have are not known, nor are ids, titles and counts.
      guard request.excluded == .nothing, request.dataFolder == nil, request.newItems == nil else {
        throw error
      }
      trained = nil
      problem = "\(error)"
    }
    let setup = try trained.flatMap { trained -> RunSetup? in
      guard
        request.newItems != nil
          || ModelRegistry.namesWithScoreParts.contains(trained.configuration.model.model)
      else { return nil }
      return try RunSetup(configuration: trained.configuration, dataset: trained.dataset)
    }
    model = try BestModel.using(run: run) { model in
      let items = try model.vectors(.item, run: run)
      if let folder = request.newItems, let setup {
        let new = try NewItems(folder: folder, setup: setup, items: items) {
          try model.tables($0, of: setup.model.backbone.tables, run: run)
        }
        return Model(
          epoch: model.epoch, identifiers: model.identifiers,
          users: try model.file(.user, run: run), items: new.vectors, attribution: nil,
          newItems: new)
      }
      return Model(
        epoch: model.epoch, identifiers: model.identifiers, users: try model.file(.user, run: run),
        items: items,
        attribution: try setup.flatMap { try model.attribution($0.model, items: items, run: run) },
        newItems: nil)
    }
    data = trained?.dataset
    let (users, items) = (model.users, model.items)
    let isNew = model.newItems != nil
    guard users.columns == items.columns,
      data.map({ $0.userCount == users.rows && (isNew || $0.itemCount == items.rows) }) ?? true
    else {
      throw RuntimeError(
        exitCode: .dataMalformed,
        message: "Cannot use the model of '\(run)': its vectors, \(model.users.rows) × "
          + "\(model.users.columns) of users and \(model.items.rows) × \(model.items.columns) of "
          + "items, do not match its data. Restore the run from a copy, or train again.")
    }
    trainingCounts = isNew ? nil : data?.trainingCounts
    let wantsOriginal = request.style == .original
    let digests = model.identifiers
    identifiers =
      wantsOriginal
      ? try trained.map { try OriginalIdentifiers(of: $0, trainedWith: digests) } ?? .empty
      : .empty
    // New items are ranked only with the data, so that there are never two notes.
    note =
      model.newItems?.note
      ?? (wantsOriginal
        ? problem.map { "ids are row numbers, and there are no titles and no reasons: \($0)" }
        : nil)
  }

  private static func data(_ request: Request) throws -> TrainedData {
    let needsSeen = request.excluded != .nothing
    return try TrainedData(
      run: request.run, moved: request.dataFolder,
      for: needsSeen ? "leave out what users have" : "read counts, ids and titles",
      alternative: needsSeen
        ? "use --include-seen" : request.dataFolder.map { _ in "leave --data out" })
  }

  /// The items of a user that are not recommended, in any order.
  private func excluded(_ user: Int) -> ReadOnlyArray<Int32> {
    guard let data, model.newItems == nil else { return [] }
    switch request.excluded {
    case .nothing: return []
    case .training: return data.train[user]
    case .everything: return ReadOnlyArray([data.train, data.valid, data.test].flatMap { $0[user] })
    }
  }

  /// U.
  package var userCount: Int { model.users.rows }
  /// Whether items have titles.
  package var hasTitles: Bool { itemIdentifiers?.columns.contains(.title) ?? false }

  /// The ids of the items that are ranked.
  private var itemIdentifiers: IdentifierTable? {
    guard let new = model.newItems else { return identifiers.items }
    return request.style == .original ? new.identifiers : nil
  }

  /// Whether the model's score splits into parts.
  package var hasReasons: Bool { model.attribution != nil }

  /// The row of a user.
  ///
  /// - Parameter place: where the id was written, such as ` (line 3 of 'ids')`.
  /// - Throws: ``RuntimeError`` for an id that does not exist.
  package func user(_ id: String, place: String = "") throws -> Int {
    try identifiers.user(id, of: userCount, place: place)
  }

  /// How many blocks are ranked at the same time.
  package var blocksAtOnce: Int { Lanes.current.count }

  /// The best items of some users, block by block, each in the order of its users. Blocks are
  /// ranked on all lanes; a user gets the same items and scores in any block.
  ///
  /// - Parameters:
  ///   - blocks: rows, at most ``blockSize`` each. Memory grows with their number.
  ///   - form: makes a block's result, on the thread that ranked it; called for several blocks at
  ///     once.
  /// - Throws: `EvaluationError` when a score is not finite; what `form` throws.
  package func recommend<Form>(
    toBlocks blocks: [[Int]],
    _ form: (_ block: Int, _ answers: [Recommendation]) throws -> Form
  ) throws -> [Form] {
    while recommenders.count < blocks.count {
      recommenders.append(BlockRecommender(items: model.items, count: request.count))
    }
    var results = [Result<Form, any Error>?](repeating: nil, count: blocks.count)
    results.withUnsafeMutableBufferPointer { results in
      // Every block has a place of its own.
      let results = results
      Lanes.current.forEach(blocks.count) { block, _ in
        results[block] = Result {
          try form(block, try recommend(to: blocks[block], with: recommenders[block]))
        }
      }
    }
    return try results.compactMap { try $0?.get() }
  }

  private func recommend(
    to users: [Int], with recommender: BlockRecommender
  ) throws -> [Recommendation] {
    let vectors = Matrix(rows: users.count, columns: model.users.columns)
    for (slot, user) in users.enumerated() {
      model.users.copyRow(user, to: vectors.pointer + slot * vectors.columns)
    }
    let ranked = try recommender.top(
      for: vectors,
      excluding: users.map(excluded),
      subject: { "user \(users[$0])" })
    return users.indices.map { slot in
      Recommendation(
        user: users[slot], userID: identifiers.users?.id(of: users[slot]), epoch: model.epoch,
        trainingInteractions: data?.train.degree(users[slot]),
        items: ranked[slot].map { item($0, users: vectors, row: slot) })
    }
  }

  private func item(
    _ ranked: RankedItem, users: Matrix, row: Int
  ) -> Recommendation.Item {
    let item = ranked.item
    let contributions = model.attribution?.contributions(users: users, row: row, item: item)
    return Recommendation.Item(
      item: item, itemID: itemIdentifiers?.id(of: item),
      title: itemIdentifiers?.value(.title, of: item), score: ranked.score,
      trainingInteractions: trainingCounts?[item],
      reason: contributions?.reason.map { .init(part: $0.part, share: $0.share) },
      contributions: contributions.map {
        Dictionary($0.map { ($0.part, $0.value) }, uniquingKeysWith: +)
      })
  }
}

extension BestModel {
  /// The parts of the model's score; nil if it has none.
  fileprivate func attribution(
    _ model: TrainingModel, items: Matrix, run: String
  ) throws -> ScoreAttribution? {
    let parts = model.backbone.scoreParts
    guard !parts.isEmpty else { return nil }
    let needed = parts.flatMap { part -> [Int] in
      if case .computed(let tables, _) = part.itemVectors { tables } else { [] }
    }
    guard parts.allSatisfy({ $0.columns.upperBound <= items.columns }) else { return nil }
    return ScoreAttribution(
      parts, items: items,
      parameters: try tables(Set(needed), of: model.backbone.tables, run: run))
  }

  /// Some tables of the parameters, whole, and matrices of no rows for the others.
  func tables(
    _ wanted: Set<Int>, of specs: [TableSpec], run: String
  ) throws -> [Matrix] {
    if !wanted.isEmpty {
      for file in files where file.name == Self.parametersName { try check(file, run: run) }
    }
    return try specs.enumerated().map { position, spec in
      guard wanted.contains(position) else { return Matrix(rows: 0, columns: spec.width) }
      let matrix = Matrix(rows: spec.rows, columns: spec.width)
      try SafetensorsFile(path: "\(run)/\(folder)/\(Self.parametersName)").read(
        .init(name: spec.name, rows: spec.rows, columns: spec.width), to: matrix.pointer)
      return matrix
    }
  }
}
