import Messages
import Tables

extension ServerState {
  /// Goes to the next version if all shards are confirmed and nothing holds the tables back.
  mutating func finishVersion() -> [ServerAction<Peer>] {
    guard confirmations.areComplete, lastVersion.map({ version < $0 }) ?? true else { return [] }
    let complete = contributions.compactMap { $0 }
    optimizer.finish(version)
    for table in tables.indices { update(table, with: complete) }
    if optimizer.schedule.beginsEpoch(version) { epochSums.reset() }
    for (shard, contribution) in complete.enumerated() {
      epochSums.add(contribution.sums, ofShard: shard)
    }
    contributions = Array(repeating: nil, count: shardCount)
    confirmations.reset()
    version += 1
    return refuseUnfinishedReductions() + answerParkedPulls()
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
