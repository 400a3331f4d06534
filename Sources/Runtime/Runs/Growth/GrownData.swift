import Checkpoints
import Configuration
import Coordinator
import Datasets
import Foundation
import Recommenders
import Settings
import Tables
import Tensors

/// What the data of a run has more than when it was last trained.
struct GrownData {
  let newUsers: Int
  let newItems: Int
  /// Training interactions; nil if it is not known how many there were.
  let newInteractions: Int?
  /// Whether every earlier training interaction was looked for in the grown data.
  let isCompared: Bool

  /// For the user and the records: `1,203 new users, 56 new items, 45,000 new training
  /// interactions`.
  var news: String {
    var parts = [
      Self.count(newUsers, "new user"), Self.count(newItems, "new item"),
      newInteractions.map { Self.count($0, "new training interaction") }
        ?? "an unknown number of new training interactions",
    ]
    parts.append(
      isCompared
        ? "all earlier ones are there" : "by counts and ids: the earlier interactions are gone")
    return parts.dropLast().joined(separator: ", ") + " (\(parts[parts.count - 1]))"
  }

  private static func count(_ count: Int, _ noun: String) -> String {
    let number = count.formatted(.number.locale(Locale(identifier: "en_US")))
    return "\(number) \(noun)\(count == 1 ? "" : "s")"
  }

  /// Compares the data of a run with what a checkpoint of it was trained on.
  ///
  /// The earlier interactions are compared one by one where their folder can still be read and has
  /// the digest that was recorded; otherwise only the numbers of users, items and training
  /// interactions, and the original ids.
  ///
  /// - Throws: a ``Shrinkage`` with what makes the data another one; errors with a sentence if a
  ///   file of ids cannot be read.
  init(
    of setup: RunSetup, since run: StoredRun, _ checkpoint: CheckpointManifest,
    in directory: RunDirectory
  ) throws {
    let (dataset, model) = (setup.dataset, setup.model)
    func earlierRows(_ table: Int) -> Int? {
      checkpoint.tables.first { $0.name == model.tables[table].name }?.rows
    }
    guard let users = earlierRows(model.finalTables.user),
      let items = earlierRows(model.finalTables.item)
    else { throw Shrinkage("its checkpoint has other tables than the model") }
    newUsers = dataset.userCount - users
    newItems = dataset.itemCount - items
    for (kind, new, before) in [("users", newUsers, users), ("items", newItems, items)]
    where new < 0 {
      throw Shrinkage("it had \(before) \(kind), and has \(before + new) now")
    }
    if let problem = try EarlierModel.identifierProblem(
      run: directory.path, folder: setup.dataFolder)
    {
      throw Shrinkage(problem)
    }
    let earlier = Self.earlierData(of: run)
    isCompared = earlier != nil
    if let earlier {
      newInteractions = dataset.trainUsers.count - earlier.trainUsers.count
      try Self.checkContains(dataset, earlier)
    } else {
      newInteractions = run.deliveries.last.map { dataset.trainUsers.count - $0.interactions }
      if let newInteractions, newInteractions < 0 {
        throw Shrinkage(
          "it had \(dataset.trainUsers.count - newInteractions) training interactions, and has "
            + "\(dataset.trainUsers.count) now")
      }
      guard newUsers > 0 || newItems > 0 || newInteractions ?? 0 > 0 else {
        throw Shrinkage(
          "it has as many users, items and training interactions as before, but others, and the "
            + "earlier ones can no longer be read")
      }
    }
  }

  /// The data that the run was last trained on, if its folder still holds it.
  private static func earlierData(of run: StoredRun) -> Dataset? {
    guard let digest = run.identity.digests["data"],
      let configuration = try? RunConfiguration(recorded: run.identity.configuration),
      let data = try? Dataset.load(folder: configuration.data.folder, for: configuration),
      data.digest == digest
    else { return nil }
    return data
  }

  private static func checkContains(_ dataset: Dataset, _ earlier: Dataset) throws {
    var missing = 0
    var first: (user: Int, item: Int32)?
    for user in 0..<earlier.userCount {
      for item in earlier.train[user] where !dataset.train.contains(row: user, column: item) {
        missing += 1
        first = first ?? (user, item)
      }
    }
    guard let first else { return }
    throw Shrinkage(
      "\(missing) of its \(earlier.trainUsers.count) training interactions are gone, the first of "
        + "user \(first.user) with item \(first.item)")
  }

  /// Why data is not the earlier data with something added, as a clause.
  struct Shrinkage: Error {
    let problem: String
    init(_ problem: String) { self.problem = problem }
  }
}

extension RunConfiguration {
  /// The configuration that a run's records hold as text.
  init(recorded text: String) throws {
    self = try ConfigurationResolver(modelNames: ModelRegistry.names).resolve(layers: [
      ConfigurationLayer(yaml: text, label: "the run's configuration")
    ])
  }
}
