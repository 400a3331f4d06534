import Messages
import Tables

/// A pull that waits for its version.
struct ParkedPull<Peer: Hashable & Sendable>: Sendable {
  let peer: Peer
  let requestID: UInt64
  let version: UInt64
  let rows: [SectionRows]
}

extension ServerState {
  mutating func handle(
    _ pull: PullRequest, id: UInt64, from peer: Peer
  ) throws(Refusal) -> [ServerAction<Peer>] {
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
          the answer would have \(byteCount) bytes, and the limit is \(limits.replyBytes); ask for \
          fewer rows at a time
          """)
    }
    let parked = ParkedPull(peer: peer, requestID: id, version: pull.version, rows: rows)
    if isHere { return [answer(parked)] }
    // Sent again while the first one waits: one answer will do.
    guard !parkedPulls.contains(where: { $0.peer == peer && $0.requestID == id }) else { return [] }
    guard parkedPulls.count < limits.parkedPulls else {
      throw Refusal(
        code: .limit,
        message: "\(limits.parkedPulls) pulls are waiting already, which is the limit; ask later")
    }
    parkedPulls.append(parked)
    statistics.parkedPulls += 1
    return []
  }

  /// Whether a pull of `version` is to be answered now (or has to wait).
  private func canRead(_ asked: UInt64) throws(Refusal) -> Bool {
    switch consistency {
    case .bulkSynchronous:
      if asked < version {
        throw Refusal(
          code: .staleGeneration,
          message: """
            version \(asked) is gone, the tables are at version \(version): all shards of it were \
            pushed; ask the coordinator for new work
            """)
      }
      if asked - version > 1 {
        throw Refusal(
          code: .malformed,
          message: """
            version \(asked) is more than one ahead of version \(version): every version must be \
            pulled from every server
            """)
      }
      return asked == version && missingInitialValues.isEmpty
    }
  }

  /// Answers the parked pulls that can be answered now, in the order in which they came.
  mutating func answerParkedPulls() -> [ServerAction<Peer>] {
    guard missingInitialValues.isEmpty else { return [] }
    let ready = parkedPulls.filter { $0.version == version }
    parkedPulls.removeAll { $0.version == version }
    return ready.map { answer($0) }
  }

  private mutating func answer(_ pull: ParkedPull<Peer>) -> ServerAction<Peer> {
    let count = pull.rows.reduce(0) { $0 + $1.rows.count * tables[$1.table].spec.width }
    let values = Payload.make(Float.self, count: count) { buffer in
      guard let base = buffer.baseAddress else { return }
      for section in pull.rows {
        if let missed = optimizer.catchUp(of: tables[section.table].spec.rule) {
          tables[section.table].catchUp(section.rows, with: missed)
        }
        tables[section.table].copy(section.rows, to: base + section.valueStart)
      }
    }
    let sections = pull.rows.map { section in
      TableSection(
        table: UInt32(section.table), rowCount: UInt32(section.rows.count),
        width: UInt32(tables[section.table].spec.width), isWhole: section.isWhole)
    }
    statistics.pulls += 1
    statistics.rowsPulled += pull.rows.reduce(0) { $0 + $1.rows.count }
    statistics.bytesPulled += values.byteCount
    return reply(
      pull.requestID, to: pull.peer,
      .pulled(PullReply(version: version, sections: sections, values: values)))
  }
}
