import Protocol
import Tables

extension ServerState {
  mutating func handle(
    _ push: PushRequest, id: UInt64, from peer: Peer
  ) throws(Refusal) -> [ServerReply<Peer>] {
    try admit(peer, generation: push.name.generation)
    // A past version is complete, so this contribution is already part of it.
    guard push.name.version >= version else { return [acknowledgeDuplicate(id, from: peer)] }
    guard canTake(push.name.version) else {
      throw Refusal(
        code: .malformed,
        message: """
          the tables are at version \(version), and no rows of version \(push.name.version) can \
          have been pulled yet; pull a version from every server before pushing to it
          """)
    }
    switch push.kind {
    case .gradient: return try contribute(push, id: id, from: peer)
    case .assign: return try assign(push, id: id, from: peer)
    }
  }

  private mutating func contribute(
    _ push: PushRequest, id: UInt64, from peer: Peer
  ) throws(Refusal) -> [ServerReply<Peer>] {
    let shard = try shardIndex(push.name.shard)
    let ahead = Int(push.name.version - version)
    guard !pending.contains(shard, ahead: ahead) else {
      return [acknowledgeDuplicate(id, from: peer)]
    }
    guard missingInitialValues.isEmpty else {
      throw Refusal(
        code: .notReady,
        message: "the initial values of table '\(missingTableName)' are still to be assigned")
    }
    let rows = try SectionReader(tables: tables, rank: rank)
      .rows(push.sections, keys: push.keys, values: push.values)
    for section in rows {
      try checkTakesGradient(tables[section.table].spec, atEndOf: push.name.version)
    }
    try checkHolds(push.values)
    try checkTakesSums(push.sums, ofShard: shard)
    pending.insert(
      Contribution(rows: rows, values: push.values, sums: push.sums), ofShard: shard, ahead: ahead)
    return [acknowledge(push, id: id, from: peer)] + finishVersions()
  }

  func shardIndex(_ shard: UInt32) throws(Refusal) -> Int {
    guard shard < shardCount else {
      throw Refusal(
        code: .malformed,
        message: "shard \(shard) is unknown: the run has \(shardCount) shards, numbered from 0")
    }
    return Int(shard)
  }

  private func checkTakesSums(_ sums: [String: Double], ofShard shard: Int) throws(Refusal) {
    guard !sums.isEmpty else { return }
    guard epochSums.isKept else {
      throw Refusal(
        code: .malformed,
        message: "loss terms and statistics are kept by server 0; send them with its push only")
    }
    var names = Set(sums.keys)
    for contribution in pending.contributions(ofShard: shard) {
      names.formUnion(contribution.sums.keys)
    }
    let isFirst = optimizer.schedule.beginsEpoch(version)
    let count = isFirst ? names.count : epochSums.nameCount(ofShard: shard, with: names)
    guard count <= EpochSums.mostNames else {
      throw Refusal(
        code: .limit,
        message: """
          the epoch of shard \(shard) would have \(count) named sums, and the limit is \
          \(EpochSums.mostNames)
          """)
    }
  }

  private func checkTakesGradient(
    _ spec: TableSpec, atEndOf version: UInt64
  ) throws(Refusal) {
    guard !optimizer.schedule.updates(spec.rule, atEndOf: version) else { return }
    let schedule = optimizer.schedule
    throw Refusal(
      code: .malformed,
      message: spec.rule == .assigned
        ? "table '\(spec.name)' takes no gradients; its rows are assigned"
        : """
        table '\(spec.name)' is updated in the last round of a step only, and version \(version) \
        is round \(schedule.round(ofVersion: version)) of \(schedule.roundsPerStep)
        """)
  }

  private func checkHolds(_ values: Payload) throws(Refusal) {
    let byteCount = pending.byteCount + values.byteCount
    guard byteCount <= limits.contributionBytes else {
      throw Refusal(
        code: .limit,
        message: """
          the contributions from version \(version) on would take \(byteCount) bytes, and the \
          limit is \(limits.contributionBytes); use more servers, fewer shards or a higher limit
          """)
    }
  }

  mutating func acknowledgeDuplicate(_ id: UInt64, from peer: Peer) -> ServerReply<Peer> {
    statistics.duplicates += 1
    return reply(id, to: peer, .pushed(.duplicate))
  }

  mutating func acknowledge(
    _ push: PushRequest, id: UInt64, from peer: Peer
  ) -> ServerReply<Peer> {
    statistics.pushes += 1
    statistics.bytesPushed += push.values.byteCount
    return reply(id, to: peer, .pushed(.accepted))
  }
}
