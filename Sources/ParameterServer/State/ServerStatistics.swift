import Messages

/// What a server has done since it was set up.
public struct ServerStatistics: Sendable, Equatable {
  /// Pulls that were answered.
  public internal(set) var pulls = 0
  /// Pulls that had to wait.
  public internal(set) var parkedPulls = 0
  /// The most versions that rows in answers were behind what was asked for.
  public internal(set) var greatestStaleness: UInt64 = 0
  /// Rows in answers.
  public internal(set) var rowsPulled = 0
  /// Bytes of row values in answers.
  public internal(set) var bytesPulled = 0
  /// Pushes that were accepted: gradients and assignments.
  public internal(set) var pushes = 0
  /// Pushes that were there already.
  public internal(set) var duplicates = 0
  /// Bytes of row values in accepted pushes.
  public internal(set) var bytesPushed = 0
  /// Reduce requests that were answered.
  public internal(set) var reduces = 0
  /// Updates of a row with a gradient (all shards' together count once).
  public internal(set) var rowsUpdated = 0
  /// Requests that were refused, by reason.
  public internal(set) var refusals: [Refusal.Code: Int] = [:]

  /// Nothing was done yet.
  public init() {}

  /// Counts what another one counts, too.
  mutating func add(_ other: ServerStatistics) {
    pulls += other.pulls
    parkedPulls += other.parkedPulls
    greatestStaleness = max(greatestStaleness, other.greatestStaleness)
    rowsPulled += other.rowsPulled
    bytesPulled += other.bytesPulled
    pushes += other.pushes
    duplicates += other.duplicates
    bytesPushed += other.bytesPushed
    reduces += other.reduces
    rowsUpdated += other.rowsUpdated
    refusals.merge(other.refusals, uniquingKeysWith: +)
  }
}
