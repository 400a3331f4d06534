/// How stale the rows behind a gradient may be.
///
/// The gradients of all shards for version t of the tables turn it into version t + 1, whatever
/// rows they were computed from. The *staleness* of a gradient is how many versions its rows were
/// behind t. Rows are never older than the first version of the epoch, which all shards read.
public enum Consistency: Sendable, Hashable {
  /// Rows of version t alone.
  case bulkSynchronous
  /// Rows of version t − `bound`, or any later one. With a bound of 0 this is `bulkSynchronous`.
  case staleSynchronous(bound: UInt64)
  /// Any version of the epoch.
  case asynchronous

  /// The largest staleness allowed; nil if there is no limit.
  public var bound: UInt64? {
    switch self {
    case .bulkSynchronous: 0
    case .staleSynchronous(let bound): bound
    case .asynchronous: nil
    }
  }

  /// Whether all gradients of a version are computed from the same rows: those of the version.
  public var isExact: Bool { bound == 0 }

  /// The oldest version whose rows may be used for a gradient for `version`, in an epoch that
  /// begins with version `first`.
  public func oldestVersion(for version: UInt64, inEpochFrom first: UInt64) -> UInt64 {
    guard let bound else { return first }
    return max(first, version - min(bound, version))
  }
}
