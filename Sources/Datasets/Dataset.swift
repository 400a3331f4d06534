import Tensors

/// A data set that is ready to train on: checked interactions, split into train, validation and
/// test, and the features of the items.
///
/// Ids are row numbers of tables. U = largest user id + 1, and every smaller id occurs. I = number
/// of feature rows where there are features, else largest item id + 1. With features there may be
/// items without interactions; they are ranked too. Users without training interactions keep their
/// rows, but are dropped from validation and test.
public final class Dataset: Sendable {
  public let name: String
  /// U.
  public let userCount: Int
  /// I.
  public let itemCount: Int
  /// The user of each training interaction, in the order of the file, `[E]`.
  public let trainUsers: ReadOnlyArray<Int32>
  /// The item of each training interaction, in the order of the file, `[E]`.
  public let trainItems: ReadOnlyArray<Int32>
  /// The training interactions as rows of items per user, `[U, I]`.
  public let train: AdjacencyList
  /// Validation, `[U, I]`.
  public let valid: AdjacencyList
  /// Test, `[U, I]`.
  public let test: AdjacencyList
  /// The items that occur in training, ascending: what negatives are drawn from.
  public let negativePool: [Int32]
  /// One matrix per modality, `[I, columns]`, in the order of the data set's description; empty for
  /// models that use none.
  public let features: [FeatureMatrix]
  /// What was left out of validation and test because its user has nothing in training.
  public let dropped: DroppedInteractions
  /// A digest of everything above that training depends on: the split interactions, the item count,
  /// and the features in use with their precomputed neighbours. The same on every machine.
  public let digest: String
  /// The folder that all this was read from; nil for a data set made in memory.
  package let description: DatasetDescription?
  /// What the interactions have apart from users and items.
  package let columns: InteractionFileWriter.Columns
  /// The files that all this was read from.
  package let sources: DatasetSources

  /// The modalities in use, by name and file in the folder; none of a data set made in memory.
  package var usedModalities: [(name: String, file: String)] {
    (description?.modalities ?? []).map { ($0.name, $0.file) }
  }

  /// How many modalities each item has, `[I]`, and how many there are; nil if all items have all.
  package var modalityCounts: (counts: [Int], all: Int)? {
    guard features.contains(where: { $0.mask.map { $0.presentCount < itemCount } ?? false }) else {
      return nil
    }
    let counts = (0..<itemCount).map { item in features.count { $0.isPresent(item) } }
    return (counts, features.count)
  }

  /// How many training interactions each item has, `[I]`; counted at every call.
  package var trainingCounts: [Int] {
    var counts = [Int](repeating: 0, count: itemCount)
    for item in trainItems { counts[Int(item)] += 1 }
    return counts
  }

  /// How many items of validation and test have no training interactions.
  package var coldHeldOutCount: Int {
    var isCold = [Bool](repeating: false, count: itemCount)
    for item in valid.columns { isCold[Int(item)] = true }
    for item in test.columns { isCold[Int(item)] = true }
    for item in negativePool { isCold[Int(item)] = false }
    return isCold.count { $0 }
  }

  /// A data set from interactions and features in memory.
  ///
  /// - Parameters:
  ///   - features: one row per item each; empty for models that use none.
  ///   - itemCount: how many items there are, if more than interactions mention and features are
  ///     not given.
  ///   - treatment: what is made of the features.
  /// - Throws: ``DatasetError`` for anything that ``load(folder:modalities:needsFeatures:)`` would
  ///   reject in a file.
  public convenience init(
    name: String, interactions: Interactions, features: [FeatureMatrix] = [],
    itemCount: Int? = nil, treatment: FeatureTreatment = FeatureTreatment()
  ) throws(DatasetError) {
    var log = ProblemLog(limit: 1)
    try InteractionChecks.checkAll(interactions, log: &log)
    var extents = features.map { ItemExtent(source: $0.name, rows: $0.rows) }
    if let itemCount { extents.append(ItemExtent(source: "itemCount", rows: itemCount)) }
    let items = try ItemExtent.itemCount(of: interactions, covering: extents, log: &log)
    try self.init(
      name: name, checked: SplitInteractions(interactions, itemCount: items), source: nil,
      features: features, itemCount: items, description: nil, treatment: treatment)
    try checkNegativesExist(in: interactions, log: &log)
  }

  /// Assembles what ``InteractionChecks`` and ``ItemExtent`` have accepted.
  ///
  /// - Parameters:
  ///   - source: the file of the interactions; nil if they were made in memory.
  ///   - description: the folder, if all was read from one.
  ///   - treatment: what is made of the features.
  /// - Throws: ``DatasetError`` if a file cannot be read any more, or for a treatment of a modality
  ///   that there is none of.
  init(
    name: String, checked interactions: SplitInteractions, source: DigestedFile?,
    features: [FeatureMatrix], itemCount: Int, description: DatasetDescription?,
    treatment: FeatureTreatment
  ) throws(DatasetError) {
    var occurs = [Bool](repeating: false, count: itemCount)
    for item in interactions.trainItems { occurs[Int(item)] = true }

    self.name = name
    self.itemCount = itemCount
    userCount = interactions.train.rowCount
    trainUsers = interactions.trainUsers
    trainItems = interactions.trainItems
    train = interactions.train
    valid = interactions.valid
    test = interactions.test
    negativePool = occurs.indices.filter { occurs[$0] }.map { Int32(truncatingIfNeeded: $0) }
    let features = try treatment.applied(
      to: features, train: train, dataset: description?.folder ?? name)
    self.features = features
    dropped = interactions.dropped
    let digested = features.map(DigestedFeature.init)
    digest = Self.digest(itemCount: itemCount, interactions: interactions, features: digested)
    self.description = description
    columns = interactions.columns
    sources =
      try source.map { source throws(DatasetError) in
        try DatasetSources(interactions: source, features: digested)
      } ?? DatasetSources()
  }

  /// Reports users that have every item of the pool in training: no negative can be drawn for them.
  ///
  /// The suggested fix turns one training row of such a user into a validation row, with an item
  /// that stays in the pool because other users have it. Each suggestion takes the earlier ones
  /// into account, so that all can be followed at once.
  func checkNegativesExist(
    in interactions: Interactions, log: inout ProblemLog
  ) throws(DatasetError) {
    let fullUsers = usersWithWholePool
    guard !fullUsers.isEmpty else { return }
    var owners = trainingCounts
    for user in fullUsers {
      let problem =
        "user \(user) has a training interaction with each of the \(negativePool.count) items that "
        + "occur in training, so that no negative item can be drawn"
      let common = train[user].max { owners[Int($0)] < owners[Int($1)] }
      guard negativePool.count > 1, let item = common, owners[Int(item)] > 1,
        let row = interactions.trainingRow(ofUser: Int32(user), item: item)
      else {
        try log.report(
          interactions.problem(
            "\(problem): add training rows of other users with other items"))
        continue
      }
      owners[Int(item)] -= 1
      let place = interactions.line(of: row).map { "line \($0)" } ?? "row \(row)"
      try log.report(
        interactions.problem(
          "\(problem): make \(place) (item \(item)) a validation row, with the x_label 1, and the "
            + "item can be drawn"))
    }
  }

  /// Users that have every item of the pool: no negative can be drawn for them.
  var usersWithWholePool: [Int] {
    (0..<userCount).filter { train.degree($0) == negativePool.count }
  }

  /// How the folder was made; empty if it does not say so.
  package var history: DatasetHistory { description?.history ?? DatasetHistory() }

  /// Why no model can be trained on the data set although it is one; nil if models can.
  package var trainingProblem: DatasetError? {
    guard valid.columns.isEmpty else { return nil }
    return DatasetError(
      .inconsistent, path: description?.folder ?? name,
      "no user with training rows has validation rows (x_label 1), so no best epoch can be chosen: "
        + "mark about 10 % of each user's rows 1, or split the data again with mrdib data split")
  }

  private static func digest(
    itemCount: Int, interactions: SplitInteractions, features: [DigestedFeature]
  ) -> String {
    var digest = ContentDigest()
    digest.combine(itemCount)
    digest.combine(interactions.trainUsers)
    digest.combine(interactions.trainItems)
    for list in [interactions.valid, interactions.test] {
      digest.combine((0..<list.rowCount).map { Int32(truncatingIfNeeded: list.degree($0)) })
      digest.combine(list.columns)
    }
    for feature in features { digest.combine(feature.digest) }
    return digest.text
  }
}
