/// How old the rows may be from which a gradient is computed.
///
/// A gradient that is for version t of the tables makes, together with those of the other shards of
/// the batch, version t + 1 out of t, whatever rows it was computed from. Its *staleness* is how
/// many versions those rows were behind t. Rows are never older than the epoch of t: at its
/// beginning everybody reads the same version.
public enum Consistency: Sendable, Hashable {
  /// Rows of version t alone.
  case bulkSynchronous
  /// Rows of version t − `bound`, or any later one. With a bound of 0 this is `bulkSynchronous`.
  case staleSynchronous(bound: UInt64)
  /// Rows as they are.
  case asynchronous

  /// The staleness that is not exceeded; nil: there is no such number.
  public var bound: UInt64? {
    switch self {
    case .bulkSynchronous: 0
    case .staleSynchronous(let bound): bound
    case .asynchronous: nil
    }
  }

  /// Whether all gradients of a version are computed from the same rows: those of the version.
  public var isExact: Bool { bound == 0 }

  /// The oldest version whose rows will do for a gradient that is for `version`, of an epoch that
  /// begins with `first`.
  public func oldestVersion(for version: UInt64, inEpochFrom first: UInt64) -> UInt64 {
    guard let bound else { return first }
    return max(first, version - min(bound, version))
  }
}
