import Files
import Tensors

/// What stands in the feature rows of items that lack a modality.
public enum MissingFeatures: String, Sendable, Codable, CaseIterable {
  /// The rows of the file, as the data set was filled; zeros where there are none.
  case filled
  case zero
  /// The mean row of all items that have the modality.
  case mean
  /// The mean row of the items that most users have together with the item in training.
  case neighbours
  /// Zeros; MRdIB uses the prior's mean for the code, and leaves the item out of its terms.
  case prior
}

/// What a run makes of the features that it reads: one modality's rows are permuted, then items
/// lose modalities at random, then the rows of items without a modality are filled.
///
/// All models see it alike, because it is in the feature matrices. Nothing is written: rows are
/// taken from the file when they are used.
public struct FeatureTreatment: Sendable, Equatable {
  /// The rows of items without a modality.
  public var missing = MissingFeatures.filled
  /// Whether rows of nothing but NaN are items without the modality.
  public var acceptsNaNRows = false
  /// The probability with which an item loses a modality, each by itself. With one seed, the items
  /// of a smaller rate are among those of a greater one.
  public var missingRate = 0.0
  /// The modality whose rows are permuted over the items that have it; nil for none. The order is
  /// that of `mrdib data disturb --permute` with the same seed.
  public var shuffled: String?
  /// Names the order and the items that lose a modality.
  public var seed: UInt64 = 0

  public init() {}

  /// How many items a row is the mean of with ``MissingFeatures/neighbours``.
  package static let neighbourCount = 10

  /// - Parameter train: the training interactions, `[U, I]`.
  /// - Throws: ``DatasetError`` if the modality to shuffle is none of the data set's.
  func applied(
    to features: [FeatureMatrix], train: AdjacencyList, dataset: String
  ) throws(DatasetError) -> [FeatureMatrix] {
    guard !features.isEmpty else { return [] }
    if let shuffled, !features.contains(where: { $0.name == shuffled }) {
      throw DatasetError(
        .configuration, path: dataset,
        "has no modality '\(shuffled.sanitized(atMost: 32))' to shuffle: shuffle_modality is one "
          + "of " + features.map(\.name).joined(separator: ", "))
    }
    return features.enumerated().map { applied(to: $1, position: $0, train: train) }
  }

  /// The features of items that came after training, whose rows are filled as those of the data
  /// set: nothing is taken away or permuted. With ``MissingFeatures/neighbours`` they get the mean
  /// row, as all items do that no user has.
  ///
  /// - Parameter trained: the data set's features of the modality, as the run reads them.
  func applied(toNew feature: FeatureMatrix, like trained: FeatureMatrix) -> FeatureMatrix {
    let absent = (0..<feature.rows).filter { !feature.isPresent($0) }
    guard !absent.isEmpty else { return feature }
    var origins = (0..<Int32(feature.rows)).map { $0 }
    for item in absent where missing != .filled || !feature.hasReadRow(item) {
      origins[item] = RowPlan.filled(0)
    }
    let fill: Matrix
    switch missing {
    case .filled, .zero, .prior: fill = Matrix(rows: 1, columns: feature.columns)
    case .mean, .neighbours:
      fill =
        FeatureFilling(
          feature: trained, origins: (0..<Int32(trained.rows)).map { $0 },
          isPresent: (0..<trained.rows).map(trained.isPresent),
          present: trained.presentItems.map { Int($0) }
        ).mean()
    }
    return feature.arranged(
      origins: origins, fill: fill, mask: feature.mask, missing: missing, keepsNeighbours: false)
  }

  private func applied(
    to feature: FeatureMatrix, position: Int, train: AdjacencyList
  ) -> FeatureMatrix {
    var origins = (0..<Int32(feature.rows)).map { $0 }
    let isShuffled = feature.name == shuffled
    if isShuffled {
      let items = feature.presentItems
      let order = CounterRandom(seed: seed, stream: .exchange, step: position + 1).order(of: items)
      for (item, other) in zip(items, order) { origins[Int(item)] = other }
    }
    let random = CounterRandom(seed: seed, stream: .removal, step: position)
    let isRemoved = origins.indices.map { item in
      missingRate > 0 && Double(random.uniform(id: item)) < missingRate
    }
    let isPresent = origins.indices.map { feature.isPresent($0) && !isRemoved[$0] }
    let mask = isPresent.allSatisfy { $0 } ? feature.mask : FeatureMask(isPresent)
    guard isShuffled || mask != feature.mask || (isPresent.contains(false) && missing != .filled)
    else {
      return feature
    }
    let kept = origins.indices.filter { isPresent[$0] }
    let absent = origins.indices.filter { !isPresent[$0] }
    let fill = FeatureFilling(
      feature: feature, origins: origins, isPresent: isPresent, present: kept)
    switch missing {
    case .filled, .zero, .prior:
      for item in absent where missing != .filled || !feature.hasReadRow(item) || isRemoved[item] {
        origins[item] = RowPlan.filled(0)
      }
      return feature.arranged(
        origins: origins, fill: Matrix(rows: 1, columns: feature.columns), mask: mask,
        missing: missing, keepsNeighbours: !isShuffled)
    case .mean:
      for item in absent { origins[item] = RowPlan.filled(0) }
      return feature.arranged(
        origins: origins, fill: fill.mean(), mask: mask, missing: missing,
        keepsNeighbours: !isShuffled)
    case .neighbours:
      let rows = fill.neighbourMeans(of: absent, train: train)
      for (row, item) in absent.enumerated() { origins[item] = RowPlan.filled(row) }
      return feature.arranged(
        origins: origins, fill: rows, mask: mask, missing: missing, keepsNeighbours: !isShuffled)
    }
  }
}
