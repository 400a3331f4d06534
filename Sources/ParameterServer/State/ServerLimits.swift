/// Limits of a server; requests beyond them are refused with code `limit`.
package struct ServerLimits: Sendable, Equatable {
  /// Peers that have sent a hello. One more replaces the peer with the oldest last request.
  package var peers: Int
  /// Pulls that wait for a version, over all peers.
  package var parkedPulls: Int
  /// Reduce requests that wait for the other shards, over all peers.
  package var parkedReduces: Int
  /// Numbers in one reduce request.
  package var reduceValues: Int
  /// Bytes of row values in one reply; at most the network's largest frame, because a reply that
  /// cannot be sent leaves its peer waiting.
  package var replyBytes: Int
  /// Bytes of the contributions that wait for the other shards of their version.
  package var contributionBytes: Int
  /// Bytes of contributions to versions after the current one. Beyond it requests are not refused,
  /// but pulls of later versions wait. It must be below `contributionBytes` by the pushes of all
  /// shards to two versions, so that no push is refused.
  package var aheadBytes: Int
  /// How many versions a shard may be ahead of the tables in `async`.
  package var versionsAhead: Int
  /// Bytes of this server's rows with their optimizer state.
  package var tableBytes: Int

  /// Limits; the defaults suit a machine with 64 GiB.
  package init(
    peers: Int = 4096, parkedPulls: Int = 4096, parkedReduces: Int = 4096,
    reduceValues: Int = 65_536, replyBytes: Int = 256 << 20, contributionBytes: Int = 1 << 34,
    aheadBytes: Int = 1 << 30, versionsAhead: Int = 1024, tableBytes: Int = 1 << 36
  ) {
    self.peers = peers
    self.parkedPulls = parkedPulls
    self.parkedReduces = parkedReduces
    self.reduceValues = reduceValues
    self.replyBytes = replyBytes
    self.contributionBytes = contributionBytes
    self.aheadBytes = aheadBytes
    self.versionsAhead = versionsAhead
    self.tableBytes = tableBytes
  }
}
