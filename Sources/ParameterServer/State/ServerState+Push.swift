import Messages
import Tables

/// A shard's gradient, checked and waiting for the other shards of its version.
struct Contribution: Sendable {
  let rows: [SectionRows]
  let values: Payload
  /// For the sums of the shard's epoch.
  let sums: [String: Double]
}

extension ServerState {
  mutating func handle(
    _ push: PushRequest, id: UInt64, from peer: Peer
  ) throws(Refusal) -> [ServerAction<Peer>] {
    try admit(peer, generation: push.name.generation)
    guard push.name.version <= version else {
      throw Refusal(
        code: .malformed,
        message: """
          the tables are at version \(version), and nothing can have been computed from a later \
          one; pull a version from every server before pushing to it
          """)
    }
    // What a past version lacked has been made good by somebody else, or it would not be past.
    guard push.name.version == version else { return [acknowledgeDuplicate(id, from: peer)] }
    switch push.kind {
    case .gradient: return try contribute(push, id: id, from: peer)
    case .assign: return try assign(push, id: id, from: peer)
    }
  }

  private mutating func contribute(
    _ push: PushRequest, id: UInt64, from peer: Peer
  ) throws(Refusal) -> [ServerAction<Peer>] {
    let shard = try shardIndex(push.name.shard)
    guard contributions[shard] == nil else { return [acknowledgeDuplicate(id, from: peer)] }
    guard missingInitialValues.isEmpty else {
      throw Refusal(
        code: .notReady,
        message: "the initial values of table '\(missingTableName)' are still to be assigned")
    }
    let rows = try SectionReader(tables: tables, rank: rank)
      .rows(push.sections, keys: push.keys, values: push.values)
    for section in rows { try checkTakesGradient(tables[section.table].spec) }
    try checkHolds(push.values)
    try checkTakesSums(push.sums, ofShard: shard)
    contributions[shard] = Contribution(rows: rows, values: push.values, sums: push.sums)
    return [acknowledge(push, id: id, from: peer)]
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
    let isFirst = optimizer.schedule.beginsEpoch(version)
    let count = isFirst ? sums.count : epochSums.nameCount(ofShard: shard, with: sums.keys)
    guard count <= EpochSums.mostNames else {
      throw Refusal(
        code: .limit,
        message: """
          the epoch of shard \(shard) would have \(count) named sums, and the limit is \
          \(EpochSums.mostNames)
          """)
    }
  }

  private func checkTakesGradient(_ spec: TableSpec) throws(Refusal) {
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
    let held = contributions.reduce(0) { $0 + ($1?.values.byteCount ?? 0) }
    guard held + values.byteCount <= limits.contributionBytes else {
      throw Refusal(
        code: .limit,
        message: """
          the contributions of version \(version) would take \(held + values.byteCount) bytes, and \
          the limit is \(limits.contributionBytes); use more servers, fewer shards or a higher limit
          """)
    }
  }

  mutating func acknowledgeDuplicate(_ id: UInt64, from peer: Peer) -> ServerAction<Peer> {
    statistics.duplicates += 1
    return reply(id, to: peer, .pushed(.duplicate))
  }

  mutating func acknowledge(
    _ push: PushRequest, id: UInt64, from peer: Peer
  ) -> ServerAction<Peer> {
    statistics.pushes += 1
    statistics.bytesPushed += push.values.byteCount
    return reply(id, to: peer, .pushed(.accepted))
  }
}
