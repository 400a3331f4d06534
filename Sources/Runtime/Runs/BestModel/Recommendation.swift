import Recommenders

/// The best items for a user.
package struct Recommendation: Sendable, Encodable {
  package struct Item: Sendable, Encodable {
    /// The row, from 0.
    package let item: Int
    /// The original id; nil if it is not known or not wanted.
    package let itemID: String?
    package let title: String?
    package let score: Float
    /// Training interactions with the item; nil if the data was not read.
    package let trainingInteractions: Int?
    /// The part of the score that speaks most for the item; nil if the model's score has no parts,
    /// the data was not read, or no part is above its mean over all items.
    package let reason: Reason?
    /// By part, what it adds to the score beyond its mean over all items.
    package let contributions: [String: Double]?

    enum CodingKeys: String, CodingKey {
      case item, title, score, reason, contributions
      case itemID = "item_id"
      case trainingInteractions = "training_interactions"
    }

    /// The id by which the item is shown.
    package var shownID: String { itemID ?? "\(item)" }
  }

  /// See `ScoreAttribution`.
  package struct Reason: Sendable, Encodable, Equatable {
    package let part: String
    /// Of all contributions above 0; above 0, at most 1.
    package let share: Double

    /// `text 61 %`.
    package var text: String { "\(part) \(Int((share * 100).rounded())) %" }
  }

  package let schemaVersion = 1
  /// The row, from 0.
  package let user: Int
  /// The original id; nil if it is not known or not wanted.
  package let userID: String?
  package let epoch: UInt32
  /// Training interactions of the user; nil if the data was not read.
  package let trainingInteractions: Int?
  /// Best first.
  package let items: [Item]

  enum CodingKeys: String, CodingKey {
    case schemaVersion = "schema_version"
    case trainingInteractions = "training_interactions"
    case userID = "user_id"
    case user, epoch, items
  }

  /// The id by which the user is shown.
  package var shownID: String { userID ?? "\(user)" }
}

/// Collects users and items without training interactions, whose scores mean less than others.
package struct ColdStart: Sendable {
  private static let shownCount = 10

  private var userCount = 0
  private var users: [String] = []
  private var items: [String] = []
  private var knownItems: Set<Int> = []

  package init() {}

  package mutating func add(_ recommendation: Recommendation) {
    if recommendation.trainingInteractions == 0 {
      userCount += 1
      if users.count < Self.shownCount { users.append(recommendation.shownID) }
    }
    for item in recommendation.items where item.trainingInteractions == 0 {
      guard knownItems.insert(item.item).inserted, items.count < Self.shownCount else { continue }
      items.append(item.shownID)
    }
  }

  /// Sentences for warnings; none if all users and items have training interactions.
  package var warnings: [String] {
    var warnings: [String] = []
    if userCount == 1 {
      warnings.append(
        "user \(users[0]) has no training interactions: the scores come from initial values that "
          + "training did not change")
    } else if userCount > 1 {
      warnings.append(
        "\(userCount) users have no training interactions: \(Self.list(users, of: userCount)); "
          + "their scores come from initial values that training did not change")
    }
    if !items.isEmpty {
      warnings.append(
        "items without training interactions: \(Self.list(items, of: knownItems.count)); their "
          + "scores come from their features alone, if the model uses any")
    }
    return warnings
  }

  private static func list(_ ids: [String], of count: Int) -> String {
    ids.joined(separator: ", ") + (count > ids.count ? ", …" : "")
  }
}
