import Configuration
import Datasets
import Foundation
import Recommenders
import Settings
import Tensors

/// The best items for a user.
package struct Recommendation: Sendable, Encodable {
  package struct Item: Sendable, Encodable {
    package let item: Int
    package let score: Float
    /// Training interactions with the item; nil if the data was not read.
    package let trainingInteractions: Int?

    enum CodingKeys: String, CodingKey {
      case item, score
      case trainingInteractions = "training_interactions"
    }
  }

  package let schemaVersion = 1
  package let user: Int
  package let epoch: UInt32
  /// Training interactions of the user; nil if the data was not read.
  package let trainingInteractions: Int?
  /// Best first.
  package let items: [Item]

  enum CodingKeys: String, CodingKey {
    case schemaVersion = "schema_version"
    case trainingInteractions = "training_interactions"
    case user, epoch, items
  }

  /// Users and items without training interactions, as sentences.
  package var warnings: [String] {
    var warnings: [String] = []
    if trainingInteractions == 0 {
      warnings.append(
        "user \(user) has no training interactions: the scores come from initial values that "
          + "training did not change")
    }
    let unknown = items.filter { $0.trainingInteractions == 0 }.map { "\($0.item)" }
    if !unknown.isEmpty {
      let more = unknown.count > 10 ? ", …" : ""
      warnings.append(
        "items without training interactions: \(unknown.prefix(10).joined(separator: ", "))\(more)"
          + "; their scores come from their features alone, if the model uses any")
    }
    return warnings
  }

  /// Ranks all items for a user by a run's best model.
  ///
  /// - Parameters:
  ///   - includesSeen: whether items of the user's training data may be recommended.
  ///   - dataFolder: where the data is, if it was moved.
  /// - Throws: errors with a sentence when run, user or data are missing.
  package static func make(
    run: String, user: Int, count: Int, includesSeen: Bool, dataFolder: String?
  ) throws -> Recommendation {
    guard count > 0 else {
      throw RuntimeError(
        exitCode: .usage, message: "Cannot recommend \(count) items: ask for at least one (--top).")
    }
    let (epoch, found, items) = try BestModel.using(run: run) { model in
      (
        model.epoch, try model.vector(.user, row: user, run: run),
        try model.vectors(.item, run: run)
      )
    }
    guard let vector = found else {
      throw RuntimeError(
        exitCode: .usage,
        message: "Cannot recommend to user \(user): the model of '\(run)' has no such user. Ids "
          + "count from 0.")
    }
    let data: Dataset?
    do {
      data = try dataset(run: run, user: user, folder: dataFolder)
    } catch {
      // Without the data only the counts of training interactions are missing.
      guard includesSeen, dataFolder == nil else { throw error }
      data = nil
    }
    let own: [Int32]? = data.map { user < $0.userCount ? Array($0.train[user]) : [] }
    let counts = data?.trainingCounts(items: items.rows)
    let ranked = try Recommender(items: items)
      .top(count, for: vector, excluding: includesSeen ? [] : own ?? [])
    let answers = ranked.map { ranked in
      let item = Int(ranked.item)
      return Item(item: item, score: ranked.score, trainingInteractions: counts?[item])
    }
    return Recommendation(
      user: user, epoch: epoch, trainingInteractions: own?.count, items: answers)
  }

  /// The data that the run was trained on.
  private static func dataset(run: String, user: Int, folder dataFolder: String?) throws -> Dataset
  {
    let directory = RunDirectory(existing: run)
    let configuration = try ConfigurationResolver(modelNames: ModelRegistry.names).resolve(
      layers: [ConfigurationLayer(file: directory.configurationPath)])
    let folder = dataFolder ?? configuration.data.folder
    guard !folder.isEmpty else {
      throw RuntimeError(
        exitCode: .inputMissing,
        message: "Cannot find the data of '\(run)': its configuration names no folder. Name it "
          + "with --data, or use --include-seen.")
    }
    // Loads the run's own modalities, because the digest covers them.
    let dataset = try Dataset.load(folder: folder, for: configuration)
    guard dataset.digest == configuration.data.digest else {
      throw RuntimeError(
        exitCode: .dataMalformed,
        message: "Cannot leave out the items that user \(user) has: the data in '\(folder)' is not "
          + "what '\(run)' was trained on (digest \(dataset.digest), trained on "
          + "\(configuration.data.digest)). Name the right folder with --data, or use "
          + "--include-seen.")
    }
    return dataset
  }
}

extension Dataset {
  /// How many training interactions each of the model's items has.
  fileprivate func trainingCounts(items: Int) -> [Int] {
    var counts = [Int](repeating: 0, count: max(items, itemCount))
    for item in trainItems { counts[Int(item)] += 1 }
    return counts
  }
}
