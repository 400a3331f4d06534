extension ServerState {
  /// What a checkpoint of the current version needs of this server; nil while initial values are
  /// missing. O(blocks of rows).
  ///
  /// Contributions to the current version are not part of it: whoever goes on from a checkpoint
  /// computes them again.
  public func snapshot() -> ServerSnapshot? {
    guard missingInitialValues.isEmpty else { return nil }
    return ServerSnapshot(
      runID: runID, generation: generation, version: version, rank: rank,
      serverCount: serverCount, optimizer: optimizer.description, epochSums: epochSums.all,
      tables: tables.map(TableSnapshot.init))
  }
}
