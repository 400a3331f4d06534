import Tensors

/// Checked interactions by split, as training and evaluation read them.
struct SplitInteractions {
  /// What the interactions have apart from users and items.
  let columns: InteractionFileWriter.Columns
  /// The user of each training interaction, in the order of the file, `[E]`.
  let trainUsers: ReadOnlyArray<Int32>
  /// The item of each training interaction, in the order of the file, `[E]`.
  let trainItems: ReadOnlyArray<Int32>
  /// The training interactions, `[U, I]`.
  let train: AdjacencyList
  /// Validation, `[U, I]`, without users that have nothing in training.
  let valid: AdjacencyList
  /// Test, `[U, I]`, without users that have nothing in training.
  let test: AdjacencyList
  let dropped: DroppedInteractions
}

extension SplitInteractions {
  /// Splits interactions that ``InteractionChecks`` and ``ItemExtent`` have accepted.
  init(_ interactions: Interactions, itemCount: Int) {
    let userCount = Int(interactions.users.max() ?? -1) + 1
    let train = interactions.pairs(of: .train) { _ in true }
    let trainRows = AdjacencyList(rowCount: userCount, columnCount: itemCount, pairs: train)
    let isTrained = { (user: Int32) in trainRows.degree(Int(user)) > 0 }
    let heldOut = [SplitLabel.valid, .test].map { label in
      AdjacencyList(
        rowCount: userCount, columnCount: itemCount,
        pairs: interactions.pairs(of: label, keeping: isTrained))
    }
    self.init(
      columns: interactions.columns, trainUsers: ReadOnlyArray(train.users),
      trainItems: ReadOnlyArray(train.items), train: trainRows, valid: heldOut[0],
      test: heldOut[1], dropped: DroppedInteractions(interactions, train: trainRows))
  }
}

/// What is left out of validation and test: users without training interactions. No model
/// without side information about users can predict anything for them.
public struct DroppedInteractions: Sendable, Equatable, Codable {
  /// Users with interactions, but none for training.
  public let users: Int
  /// Their interactions in validation.
  public let valid: Int
  /// Their interactions in test.
  public let test: Int

  init(users: Int, valid: Int, test: Int) {
    self.users = users
    self.valid = valid
    self.test = test
  }

  init(_ interactions: Interactions, train: AdjacencyList) {
    var valid = 0
    var test = 0
    for (user, label) in zip(interactions.users, interactions.labels)
    where train.degree(Int(user)) == 0 {
      if label == .valid { valid += 1 } else { test += 1 }
    }
    self.init(
      users: (0..<train.rowCount).count { train.degree($0) == 0 }, valid: valid, test: test)
  }
}
