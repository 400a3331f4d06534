import Datasets

/// How interactions are divided into training, validation and test.
package enum SplitMethod: Sendable, Equatable {
  /// At random for each user: by ratios, or without them by the counts of MMRec (``SplitRule``).
  case random(SplitRatios?)
  /// The last interaction of each user is for test, the one before it for validation. At random
  /// where there are no times.
  case leaveOneOut
  /// Along each user's time: the earliest are for training, the latest for test. By ratios, or
  /// without them by the counts of MMRec.
  case userTime(SplitRatios?)
  /// At two points in time that are the same for all users.
  case time(TimeCut)
  /// Some items, chosen at random, are in validation alone and some in test alone, with all of
  /// their interactions; those with the other items are divided at random for each user. One set of
  /// shares counts both, items and interactions.
  case coldItems(SplitRatios)
  /// Some users, chosen at random, have one interaction for training and the others in validation,
  /// some the others in test; those of the other users are divided at random. One set of shares
  /// counts both, users and interactions.
  case coldUsers(SplitRatios)

  /// The name on the command line and in the history of the folder.
  package var name: String {
    switch self {
    case .random: "random"
    case .leaveOneOut: "leave-one-out"
    case .userTime: "user-time"
    case .time: "time"
    case .coldItems: "cold-items"
    case .coldUsers: "cold-users"
    }
  }

  /// Whether all users are divided at the same times.
  var isByTime: Bool {
    if case .time = self { true } else { false }
  }

  /// Whether it cannot be done without the times of interactions.
  package var needsTimes: Bool {
    switch self {
    case .random, .leaveOneOut, .coldItems, .coldUsers: false
    case .userTime, .time: true
    }
  }
}

/// Where training ends and test begins on the axis of time.
package enum TimeCut: Sendable, Equatable {
  /// Quantiles of the times of all interactions. Interactions of the same time stay together.
  case ratios(SplitRatios)
  /// Seconds since 1970: earlier ones than `valid` are for training, those from `test` on for test.
  case points(valid: Double, test: Double)

  /// The two points in time, seconds since 1970.
  ///
  /// - Precondition: there is at least one time.
  func points(in times: [Double]) -> (valid: Double, test: Double) {
    switch self {
    case .points(let valid, let test): return (valid, test)
    case .ratios(let ratios):
      let sorted = times.sorted()
      let time = { (share: Double) in
        sorted[min(sorted.count - 1, Int((share * Double(sorted.count)).rounded()))]
      }
      return (time(ratios.train), time(ratios.train + ratios.valid))
    }
  }
}
