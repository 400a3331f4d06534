import Messages
import Tables

extension ServerState {
  /// Whether all shards have contributed, and nothing holds the tables back.
  var canFinishVersion: Bool {
    guard lastVersion.map({ version < $0 }) ?? true else { return false }
    return needsConfirmation(version) ? pending.isConfirmed : pending.isContributed
  }

  /// Goes on as far as contributions allow: one version at most where rows are never stale.
  mutating func finishVersions() -> [ServerAction<Peer>] {
    guard canFinishVersion else { return [] }
    var actions: [ServerAction<Peer>] = []
    while canFinishVersion {
      finishVersion()
      actions += refuseUnfinishedReductions()
    }
    return actions + answerParkedPulls()
  }

  private mutating func finishVersion() {
    let complete = pending.removeFirst()
    optimizer.finish(version)
    for table in tables.indices { update(table, with: complete) }
    if optimizer.schedule.beginsEpoch(version) { epochSums.reset() }
    for (shard, contribution) in complete.enumerated() {
      epochSums.add(contribution.sums, ofShard: shard)
    }
    version += 1
  }

  private mutating func update(_ table: Int, with contributions: [Contribution]) {
    guard let update = optimizer.update(of: tables[table].spec.rule, atEndOf: version) else {
      return
    }
    // The sources point into the contributions.
    withExtendedLifetime(contributions) {
      let sources = contributions.compactMap { contribution -> GradientSource? in
        guard let section = contribution.rows.first(where: { $0.table == table }),
          let base = contribution.values.bytes.baseAddress
        else { return nil }
        return GradientSource(
          rows: section.rows.indices, count: section.rows.count,
          values: base + section.valueStart * MemoryLayout<Float>.stride)
      }
      statistics.rowsUpdated += tables[table].apply(update, to: sources)
    }
  }
}
