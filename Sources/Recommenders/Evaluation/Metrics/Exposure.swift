/// How often each item of the catalogue is in a user's list: whole numbers, so their sums do not
/// depend on the workers that counted, nor on the order of addition.
public struct Exposure: Sendable, Equatable {
  /// The users and lists that are counted.
  public struct Key: Sendable, Hashable {
    /// The split of the users.
    public let split: String
    /// K of the lists.
    public let cutoff: Int

    public init(split: String, cutoff: Int) {
      self.split = split
      self.cutoff = cutoff
    }

    /// The name of the counts in reports: `valid.exposure@20`.
    public var name: String { "\(split).exposure@\(cutoff)" }
  }

  /// By item, `[I]`.
  public private(set) var counts: [UInt64]

  /// No lists yet.
  public init(itemCount: Int) { counts = Array(repeating: 0, count: itemCount) }

  mutating func add(_ item: Int) { counts[item] += 1 }

  /// Adds the lists of other users.
  ///
  /// - Precondition: both are of the same catalogue.
  mutating func merge(_ other: Exposure) {
    precondition(counts.count == other.counts.count)
    for (item, count) in other.counts.enumerated() where count > 0 { counts[item] &+= count }
  }

  /// Adds counts of single items.
  ///
  /// - Returns: false if an item is not in the catalogue; the counts before it were added.
  public mutating func add(_ others: some Sequence<(item: UInt32, count: UInt32)>) -> Bool {
    for (item, count) in others {
      guard item < counts.count else { return false }
      counts[Int(item)] &+= UInt64(count)
    }
    return true
  }

  /// The items that were recommended, ascending.
  public var nonzero: [(item: UInt32, count: UInt32)] {
    counts.enumerated().compactMap { item, count in
      count > 0 ? (UInt32(item), UInt32(clamping: count)) : nil
    }
  }

  /// The values of the metrics that judge all lists together, by name such as `coverage@20`; those
  /// of single users are left out.
  public func values(of metrics: [Metric], at cutoff: Int) -> [String: Double] {
    var values: [String: Double] = [:]
    for metric in metrics {
      guard case .exposure(let formula) = metric.formula else { continue }
      values[metric.name(at: cutoff)] = formula(self)
    }
    return values
  }
}
