import Messages
import Tables

extension ServerState {
  /// Takes note of the shards (all known) that a pull of the next version confirms.
  ///
  /// - Throws: a refusal `malformed` for a shard that has not contributed here, which cannot have
  ///   been acknowledged; none of the pull's shards is confirmed then.
  /// - Returns: what follows if the last shard was among them.
  mutating func confirm(_ pull: PullRequest) throws(Refusal) -> [ServerAction<Peer>] {
    // A pull of the current version waits for initial values, and confirms what is long past.
    guard pull.version > version, !pull.confirmed.isEmpty else { return [] }
    let confirmed = pull.version - 1
    guard needsConfirmation(confirmed) else { return [] }
    let ahead = Int(confirmed - version)
    for shard in pull.confirmed {
      guard pending.contains(Int(shard), ahead: ahead) else {
        throw Refusal(
          code: .malformed,
          message: """
            shard \(shard) is confirmed at version \(confirmed) but has not contributed to it \
            here; confirm a shard when every server has acknowledged its push
            """)
      }
    }
    for shard in pull.confirmed { pending.confirm(Int(shard), ahead: ahead) }
    return finishVersions()
  }

  /// Whether a version ends only when its shards are confirmed, and not as soon as they have
  /// contributed here.
  ///
  /// Where rows may be stale, servers that are ahead still answer for the versions of those that
  /// are behind, and a shard can be computed again without. But nothing answers for an epoch that
  /// is over, and final vectors that the last step writes must be everywhere before they are read.
  func needsConfirmation(_ version: UInt64) -> Bool {
    consistency.isExact || optimizer.schedule.endsEpoch(beforeVersion: version + 1)
  }

  /// Stays at the current version until ``release(upTo:)`` says otherwise. Contributions and
  /// confirmations are still taken.
  ///
  /// - Returns: the version that the tables have.
  public mutating func hold() -> UInt64 {
    lastVersion = version
    return version
  }

  /// Lets versions begin again.
  ///
  /// - Parameter version: the last one that may begin; nil: any.
  /// - Returns: what follows if versions were complete.
  public mutating func release(upTo version: UInt64? = nil) -> [ServerAction<Peer>] {
    lastVersion = version
    return finishVersions()
  }
}
