import Tensors

/// What is left out of validation and test: users without training interactions, for whom no model
/// without side information about users can predict anything.
public struct DroppedInteractions: Sendable, Equatable, Codable {
  /// Users with interactions, but none for training.
  public let users: Int
  /// Their interactions in validation.
  public let valid: Int
  /// Their interactions in test.
  public let test: Int

  init(_ interactions: Interactions, train: AdjacencyList) {
    var valid = 0
    var test = 0
    for (user, label) in zip(interactions.users, interactions.labels)
    where train.degree(Int(user)) == 0 {
      if label == .valid { valid += 1 } else { test += 1 }
    }
    users = (0..<train.rowCount).count { train.degree($0) == 0 }
    self.valid = valid
    self.test = test
  }
}
