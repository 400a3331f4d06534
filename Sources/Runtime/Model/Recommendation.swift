import Datasets
import Evaluation
import Foundation
import Models
import RunConfiguration
import Tensors

/// The best items for a user.
public struct Recommendation: Sendable, Encodable {
  public struct Item: Sendable, Encodable {
    public let item: Int
    public let score: Float
  }

  public let schemaVersion = 1
  public let user: Int
  public let epoch: UInt32
  /// Best first.
  public let items: [Item]

  enum CodingKeys: String, CodingKey {
    case schemaVersion = "schema_version"
    case user, epoch, items
  }

  /// Ranks all items for a user by a run's best model.
  ///
  /// - Parameters:
  ///   - includesSeen: whether items of the user's training data may be recommended.
  ///   - dataFolder: where the data lies, if it has moved.
  /// - Throws: errors with a sentence when run, user or data are not there.
  public static func make(
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
    let seen = includesSeen ? [] : try trainItems(run: run, user: user, dataFolder: dataFolder)
    let ranked = try Recommender(items: items)
      .top(count, for: vector, excluding: seen)
    return Recommendation(
      user: user, epoch: epoch,
      items: ranked.map { Item(item: Int($0.item), score: $0.score) })
  }

  private static func trainItems(
    run: String, user: Int, dataFolder: String?
  ) throws -> [Int32] {
    let directory = RunDirectory(existing: run)
    let configuration = try ConfigurationResolver(modelNames: ModelRegistry.names).resolve(
      layers: [ConfigurationLayer(file: directory.configurationPath)])
    let folder = dataFolder ?? configuration.data.folder
    guard !folder.isEmpty else {
      throw RuntimeError(
        exitCode: .inputMissing,
        message: "Cannot find the data of '\(run)': its configuration names no folder. Name it "
          + "with --data, or ask for --include-seen.")
    }
    // With the run's own modalities: the digest covers what was used.
    let dataset = try Dataset.load(folder: folder, for: configuration)
    guard dataset.digest == configuration.data.digest else {
      throw RuntimeError(
        exitCode: .dataMalformed,
        message: "Cannot leave out what user \(user) has: the data in '\(folder)' is not what "
          + "'\(run)' was trained on (digest \(dataset.digest), trained on "
          + "\(configuration.data.digest)). Name the right folder with --data, or ask for "
          + "--include-seen.")
    }
    return user < dataset.userCount ? Array(dataset.train[user]) : []
  }
}
