import Datasets

/// What a split has done: the numbers before and after.
package struct SplitSummary: Sendable {
  package let method: SplitMethod
  package let interactionsRead: Int
  /// Dense ids of the source, with or without interactions.
  package let usersRead: Int
  package let itemsRead: Int
  package internal(set) var belowMinimumRating = 0
  package internal(set) var duplicates = 0
  /// Rows of users or items with too few interactions, and the rounds in which they were found.
  package internal(set) var outsideCore = 0
  package internal(set) var coreRounds = 0
  /// What the new folder has.
  package internal(set) var users = 0
  package internal(set) var items = 0
  package internal(set) var train = 0
  package internal(set) var valid = 0
  package internal(set) var test = 0
  /// Users with so few interactions that all of theirs are for training.
  package internal(set) var usersInTrainingOnly = 0
  /// Rows for validation of users that training has seen.
  var usableValidRows = 0
  /// The interactions of the user with the most.
  var mostOfUser = 0
  /// Users and items that occur in validation or test, but not in training, with their rows there.
  package internal(set) var unseenUsers = Unseen()
  package internal(set) var unseenItems = Unseen()
  /// The points in time between the parts, seconds since 1970, for a split by time.
  package internal(set) var cut: (valid: Double, test: Double)?
  /// The times of the first and the last interaction, for messages.
  package internal(set) var timeRange: String?
  /// Whether no times were there to order by, for a method that uses them where they are.
  package internal(set) var isOrderRandom = false
  package internal(set) var staleNeighbourFiles: [String] = []

  /// Ids that do not occur in training.
  package struct Unseen: Sendable, Equatable {
    package internal(set) var ids = 0
    package internal(set) var rows = 0
  }

  package var interactions: Int { train + valid + test }

  init(method: SplitMethod, interactionsRead: Int, usersRead: Int, itemsRead: Int) {
    self.method = method
    self.interactionsRead = interactionsRead
    self.usersRead = usersRead
    self.itemsRead = itemsRead
  }

  /// Counts the parts, and what is in them that training has not seen.
  mutating func count(_ assignment: SplitAssignment, of columns: InteractionColumns) {
    for label in assignment.labels {
      switch label {
      case .train: train += 1
      case .valid: valid += 1
      case .test: test += 1
      }
    }
    usersInTrainingOnly = assignment.usersInTrainingOnly
    isOrderRandom = assignment.isOrderRandom
    cut = assignment.cut
    unseenUsers = Self.unseen(columns.users, assignment.labels)
    unseenItems = Self.unseen(columns.items, assignment.labels)
    countUsers(assignment.labels, of: columns.users)
    // Rows without a time have NaN, which no comparison puts in order.
    if let times = columns.times?.lazy.filter({ !$0.isNaN }), let first = times.min(),
      let last = times.max()
    {
      timeRange = "\(TimePoint.text(first)) to \(TimePoint.text(last))"
    }
  }

  /// Counts by user; the rows of one user are next to each other.
  private mutating func countUsers(_ labels: [SplitLabel], of users: [Int32]) {
    var start = 0
    while start < users.count {
      let end = users[start...].firstIndex { $0 != users[start] } ?? users.count
      mostOfUser = max(mostOfUser, end - start)
      if labels[start..<end].contains(.train) {
        usableValidRows += labels[start..<end].count { $0 == .valid }
      }
      start = end
    }
  }

  private static func unseen(_ ids: [Int32], _ labels: [SplitLabel]) -> Unseen {
    let count = Int(ids.max() ?? -1) + 1
    var isTrained = [Bool](repeating: false, count: count)
    for (id, label) in zip(ids, labels) where label == .train { isTrained[Int(id)] = true }
    var isCounted = isTrained
    var unseen = Unseen()
    for id in ids where !isTrained[Int(id)] {
      unseen.rows += 1
      if !isCounted[Int(id)] { unseen.ids += 1 }
      isCounted[Int(id)] = true
    }
    return unseen
  }
}

extension SplitSummary {
  /// The summary for the terminal, one fact per line.
  package var lines: [String] {
    var lines = ["\(interactionsRead) interactions read"]
    if belowMinimumRating > 0 {
      lines.append("\(belowMinimumRating) left out: below the minimum rating, or without one")
    }
    if duplicates > 0 {
      lines.append("\(duplicates) left out: the same user and item again")
    }
    if coreRounds > 0 {
      lines.append(
        "\(outsideCore) left out: users or items with too few interactions (\(coreRounds) rounds)")
    }
    lines.append(
      "\(interactions) interactions of \(users) users (of \(usersRead)) and \(items) items (of "
        + "\(itemsRead)) kept")
    lines.append("train \(train), validation \(valid), test \(test)")
    if let cut {
      lines.append(
        "validation begins at \(TimePoint.text(cut.valid)), test at \(TimePoint.text(cut.test))")
    }
    return lines + notes
  }

  /// What a user should know of the result, and may not expect.
  private var notes: [String] {
    var notes: [String] = []
    if isOrderRandom {
      notes.append("note: there are no times, so the interactions held out are chosen at random")
    }
    if usersInTrainingOnly > 0 {
      notes.append(
        "note: users with too few interactions to hold any out, so that all are for training: "
          + "\(usersInTrainingOnly)")
    }
    for (word, unseen) in [("users", unseenUsers), ("items", unseenItems)] where unseen.ids > 0 {
      notes.append(
        "note: \(word) that are in validation or test, but not in training: \(unseen.ids) (in "
          + "\(unseen.rows) rows)")
    }
    if let note = FolderSelection.note(ofStale: staleNeighbourFiles) { notes.append(note) }
    return notes
  }
}
