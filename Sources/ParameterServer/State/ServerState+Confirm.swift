import Messages

extension ServerState {
  /// Takes note of the shards (all known) that a pull of the next version confirms.
  ///
  /// - Throws: a refusal `malformed` for a shard that has not contributed here, which cannot have
  ///   been acknowledged; none of the pull's shards is confirmed then.
  /// - Returns: what follows if the last shard was among them.
  mutating func confirm(_ pull: PullRequest) throws(Refusal) -> [ServerAction<Peer>] {
    // A pull of the current version waits for initial values, and confirms what is long past.
    guard pull.version > version, !pull.confirmed.isEmpty else { return [] }
    for shard in pull.confirmed {
      guard contributions[Int(shard)] != nil else {
        throw Refusal(
          code: .malformed,
          message: """
            shard \(shard) is confirmed at version \(version) but has not contributed to it here; \
            confirm a shard when every server has acknowledged its push
            """)
      }
    }
    for shard in pull.confirmed { confirmations.insert(Int(shard)) }
    return finishVersion()
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
  /// - Returns: what follows if the current version was complete.
  public mutating func release(upTo version: UInt64? = nil) -> [ServerAction<Peer>] {
    lastVersion = version
    return finishVersion()
  }
}
