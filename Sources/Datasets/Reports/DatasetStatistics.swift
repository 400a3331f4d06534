import Tensors

/// The figures by which a data set is compared with what a paper says about it.
public struct DatasetStatistics: Sendable, Equatable, Codable {
  /// One modality.
  public struct Feature: Sendable, Equatable, Codable {
    public let name: String
    public let rows: Int
    public let columns: Int
    /// Rows that hold nothing but zeros.
    public let zeroRows: Int
  }

  public let name: String
  public let digest: String
  public let users: Int
  public let items: Int
  /// Train, validation and test together, without what was dropped.
  public let interactions: Int
  public let train: Int
  public let valid: Int
  public let test: Int
  /// What was left out of validation and test.
  public let dropped: DroppedInteractions
  /// interactions / (users · items).
  public let density: Double
  /// Training interactions per user, users without any included.
  public let trainPerUser: CountSummary
  /// Training interactions per item, items without any included.
  public let trainPerItem: CountSummary
  /// Items without training interactions: their id rows are never trained.
  public let coldItems: Int
  public let features: [Feature]

  public init(_ dataset: Dataset) {
    name = dataset.name
    digest = dataset.digest
    users = dataset.userCount
    items = dataset.itemCount
    train = dataset.trainUsers.count
    valid = dataset.valid.columns.count
    test = dataset.test.columns.count
    interactions = train + valid + test
    dropped = dataset.dropped
    density = Double(interactions) / (Double(users) * Double(items))
    trainPerUser = CountSummary((0..<dataset.userCount).map(dataset.train.degree))
    var counts = [Int](repeating: 0, count: dataset.itemCount)
    for item in dataset.trainItems { counts[Int(item)] += 1 }
    trainPerItem = CountSummary(counts)
    coldItems = items - dataset.negativePool.count
    features = dataset.features.map {
      Feature(name: $0.name, rows: $0.rows, columns: $0.columns, zeroRows: $0.zeroRowCount)
    }
  }
}
