/// Sums as named numbers, the form in which they travel and are added up: `valid.users`,
/// `valid.recall@20`.
extension MetricSums {
  /// The sums (not means) and the number of users by name.
  public var keyed: [String: Double] {
    var values = [userCountName: Double(userCount)]
    for (name, sum) in zip(names, sums) { values["\(split).\(name)"] = sum }
    return values
  }

  /// How often each item was recommended, by name: `valid.exposure@20`.
  public var keyedExposures: [String: Exposure] {
    Dictionary(
      uniqueKeysWithValues: zip(cutoffs, exposures).map { cutoff, exposure in
        (Exposure.Key(split: split, cutoff: cutoff).name, exposure)
      })
  }

  /// Reads the sums of one split back; other names are ignored, and there are no exposures.
  ///
  /// - Throws: `EvaluationError.invalidSum` for a value that is missing, negative or not finite,
  ///   or a number of users that is not whole or above 2^31 − 1.
  /// - Precondition: `cutoffs` is not empty and all are positive.
  public init(
    split: String, metrics: [Metric] = Metric.standard, cutoffs: [Int],
    keyed values: [String: Double]
  ) throws {
    self.init(split: split, metrics: metrics, cutoffs: cutoffs)
    func value(_ name: String) throws -> Double {
      guard let found = values[name], found.isFinite, found >= 0 else {
        throw EvaluationError.invalidSum(name: name, found: values[name])
      }
      return found
    }
    let users = try value(userCountName)
    guard let count = Int32(exactly: users) else {
      throw EvaluationError.invalidSum(name: userCountName, found: users)
    }
    userCount = Int(count)
    sums = try names.map { try value("\(split).\($0)") }
  }

  private var userCountName: String { "\(split).users" }
}
