import Protocol
import Tables

/// A pull that waits for its version.
struct ParkedPull<Peer: Hashable & Sendable>: Sendable {
  let peer: Peer
  let requestID: UInt64
  let version: UInt64
  let rows: [SectionRows]
  /// The shards whose epoch sums the reply contains.
  let reportedShards: [UInt32]
}

extension ServerState {
  mutating func handle(
    _ pull: PullRequest, id: UInt64, from peer: Peer
  ) throws(Refusal) -> [ServerReply<Peer>] {
    try admit(peer, generation: pull.generation)
    let isHere = try canRead(pull.version)
    let rows = try SectionReader(tables: tables, rank: rank).rows(pull.sections, keys: pull.keys)
    let byteCount =
      rows.reduce(0) { $0 + $1.rows.count * tables[$1.table].spec.width }
      * MemoryLayout<Float>.stride
    guard byteCount <= limits.replyBytes else {
      throw Refusal(
        code: .limit,
        message: """
          the reply would have \(byteCount) bytes, and the limit is \(limits.replyBytes); request \
          fewer rows at a time
          """)
    }
    for shard in pull.confirmed { _ = try shardIndex(shard) }
    let reportedShards = try reportedShards(pull)
    let parked = ParkedPull(
      peer: peer, requestID: id, version: pull.version, rows: rows, reportedShards: reportedShards)
    if isHere { return [answer(parked)] }
    let replies = try confirm(pull)
    // The confirmations of this pull may have completed the version.
    if try canRead(pull.version) { return replies + [answer(parked)] }
    // A repeated request while the first one waits gets one reply.
    guard !parkedPulls.contains(where: { $0.peer == peer && $0.requestID == id }) else { return [] }
    guard parkedPulls.count < limits.parkedPulls else {
      throw Refusal(
        code: .limit,
        message: "\(limits.parkedPulls) pulls are waiting already, which is the limit; retry later")
    }
    parkedPulls.append(parked)
    statistics.parkedPulls += 1
    return []
  }

  /// Whether a pull of version `asked` can be answered now; otherwise it waits.
  ///
  /// - Throws: a refusal if the version is gone, or too far ahead.
  private func canRead(_ asked: UInt64) throws(Refusal) -> Bool {
    if isGone(asked) { throw versionSuperseded("version \(asked)") }
    guard asked <= version || asked - version - 1 <= mostAhead else {
      throw Refusal(
        code: .malformed,
        message: """
          version \(asked) is \(asked - version) ahead of version \(version), and at most \
          \(mostAhead + 1) are allowed: every version must be pulled from every server
          """)
    }
    return isReadable(asked)
  }

  func versionSuperseded(_ subject: String) -> Refusal {
    Refusal(
      code: .versionSuperseded,
      message: """
        \(subject) is gone, the tables are at version \(version): the contributions of all shards \
        before it are on all servers; continue from there
        """,
      version: version)
  }

  /// The shards whose sums a pull requests, ascending; empty if this server keeps none.
  private func reportedShards(_ pull: PullRequest) throws(Refusal) -> [UInt32] {
    guard pull.wantsReports else { return [] }
    guard optimizer.schedule.endsEpoch(beforeVersion: pull.version) else {
      throw Refusal(
        code: .malformed,
        message: """
          reports are available at the end of an epoch, and version \(pull.version) is not the \
          first after one: epochs have \(optimizer.schedule.versionsPerEpoch) versions
          """)
    }
    return epochSums.isKept ? Set(pull.confirmed).sorted() : []
  }

  /// Answers the parked pulls that can be answered now, in their order of arrival.
  mutating func answerParkedPulls() -> [ServerReply<Peer>] {
    guard missingInitialValues.isEmpty else { return [] }
    let waiting = parkedPulls
    parkedPulls = waiting.filter { !isReadable($0.version) }
    return waiting.filter { isReadable($0.version) }.map { answer($0) }
  }

  private mutating func answer(_ pull: ParkedPull<Peer>) -> ServerReply<Peer> {
    let count = pull.rows.reduce(0) { $0 + $1.rows.count * tables[$1.table].spec.width }
    let values = Payload.make(Float.self, count: count) { buffer in
      guard let base = buffer.baseAddress else { return }
      for section in pull.rows {
        if let missed = optimizer.catchUp(of: tables[section.table].spec.rule) {
          missed.copy(
            section.rows, of: &tables[section.table], to: base + section.valueStart)
        } else {
          tables[section.table].copy(section.rows, to: base + section.valueStart)
        }
      }
    }
    let sections = pull.rows.map { section in
      TableSection(
        table: UInt32(section.table), rowCount: UInt32(section.rows.count),
        width: UInt32(tables[section.table].spec.width), isWhole: section.isWhole)
    }
    statistics.pulls += 1
    statistics.greatestStaleness = max(
      statistics.greatestStaleness, pull.version - min(pull.version, version))
    statistics.rowsPulled += pull.rows.reduce(0) { $0 + $1.rows.count }
    statistics.bytesPulled += values.byteCount
    return reply(
      pull.requestID, to: pull.peer,
      .pulled(
        PullReply(
          version: version, sections: sections, values: values,
          reports: epochSums.reports(of: pull.reportedShards))))
  }
}
