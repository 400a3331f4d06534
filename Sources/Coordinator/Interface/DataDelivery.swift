/// Data that a run is trained on from an epoch on: what it was begun with, or what that has grown
/// to.
package struct DataDelivery: Sendable, Equatable, Codable {
  /// The first epoch that is trained on it.
  package let epoch: UInt32
  /// The version of the tables at the beginning of that epoch.
  package let version: UInt64
  /// The digest of the data.
  package let digest: String
  package let users: Int
  package let items: Int
  /// Training interactions.
  package let interactions: Int
  /// What it has more than the data before, as a phrase; empty for the first.
  package let news: String
  /// The best epoch on the data before, and the value by which it was; nil if there was none. It is
  /// not compared with those on this data.
  package let earlierBest: EarlierBest?

  /// The best evaluation on other data.
  package struct EarlierBest: Sendable, Equatable, Codable {
    package let epoch: UInt32
    package let value: Double

    package init(epoch: UInt32, value: Double) {
      self.epoch = epoch
      self.value = value
    }
  }

  package init(
    epoch: UInt32 = 0, version: UInt64 = 0, digest: String, users: Int, items: Int,
    interactions: Int, news: String = "", earlierBest: EarlierBest? = nil
  ) {
    self.epoch = epoch
    self.version = version
    self.digest = digest
    self.users = users
    self.items = items
    self.interactions = interactions
    self.news = news
    self.earlierBest = earlierBest
  }

  enum CodingKeys: String, CodingKey {
    case epoch, version, digest, users, items, interactions, news
    case earlierBest = "earlier_best"
  }
}
