import Protocol
import Tables

extension ServerState {
  /// Records the shards that a pull of the next version confirms; all of them exist.
  ///
  /// - Throws: a refusal for a shard that has not contributed here; none of the pull's shards is
  ///   confirmed then. `malformed`, because it cannot have been acknowledged; `notReady` by the
  ///   only server of a run, because its workers send the pull with the push, which was lost on the
  ///   way and will be repeated, as will the pull.
  /// - Returns: the replies that become possible if the version is complete now.
  mutating func confirm(_ pull: PullRequest) throws(Refusal) -> [ServerReply<Peer>] {
    // A pull of the current version only waits for initial values; what it confirms is applied.
    guard pull.version > version, !pull.confirmed.isEmpty else { return [] }
    let confirmed = pull.version - 1
    guard needsConfirmation(confirmed) else { return [] }
    let ahead = Int(confirmed - version)
    for shard in pull.confirmed {
      guard pending.contains(Int(shard), ahead: ahead) else {
        throw Refusal(
          code: serverCount == 1 ? .notReady : .malformed,
          message: """
            shard \(shard) is confirmed at version \(confirmed) but has not contributed to it \
            here; confirm a shard when every server has acknowledged its push
            """)
      }
    }
    for shard in pull.confirmed { pending.confirm(Int(shard), ahead: ahead) }
    return finishVersions()
  }

  /// Whether a version ends only when all its shards are confirmed, and not as soon as they have
  /// contributed here.
  ///
  /// In `ssp` and `async`, servers that are ahead still answer pulls of earlier versions of the
  /// epoch, so that a shard can be computed again without confirmations. But no server answers for
  /// an epoch that is over, and final vectors of the last step must be on all servers before they
  /// are read.
  func needsConfirmation(_ version: UInt64) -> Bool {
    consistency.isExact || optimizer.schedule.endsEpoch(beforeVersion: version + 1)
  }

  /// Keeps the tables at the current version until ``release(upTo:)``. Contributions and
  /// confirmations are still accepted.
  ///
  /// - Returns: the current version.
  package mutating func hold() -> UInt64 {
    lastVersion = version
    return version
  }

  /// Ends a hold.
  ///
  /// - Parameter version: the last version that may begin; nil: no limit.
  /// - Returns: the replies that become possible.
  package mutating func release(upTo version: UInt64? = nil) -> [ServerReply<Peer>] {
    lastVersion = version
    return finishVersions()
  }
}

extension ServerState {
  /// Whether the current version is complete and the next one may begin.
  var canFinishVersion: Bool {
    guard lastVersion.map({ version < $0 }) ?? true else { return false }
    return needsConfirmation(version) ? pending.isConfirmed : pending.isContributed
  }

  /// Applies all complete versions; in `bsp` there is at most one.
  ///
  /// - Returns: the replies that become possible.
  mutating func finishVersions() -> [ServerReply<Peer>] {
    guard canFinishVersion else { return [] }
    var replies: [ServerReply<Peer>] = []
    while canFinishVersion {
      finishVersion()
      replies += refuseUnfinishedReductions()
    }
    return replies + answerParkedPulls()
  }

  private mutating func finishVersion() {
    let complete = pending.removeFirst()
    optimizer.finish(version)
    for table in tables.indices { update(table, with: complete) }
    if optimizer.schedule.beginsEpoch(version + 1) { expireRows() }
    if optimizer.schedule.beginsEpoch(version) { epochSums.reset() }
    for (shard, contribution) in complete.enumerated() {
      epochSums.add(contribution.sums, ofShard: shard)
    }
    version += 1
  }

  /// At the end of an epoch, returns rows to their initial values that none of the last epochs had
  /// a gradient for. Tables whose initial values a worker pushed keep their rows: no server knows
  /// those values.
  private mutating func expireRows() {
    let (schedule, epochs) = (optimizer.schedule, optimizer.configuration.expiryEpochs)
    let ended = schedule.epoch(ofVersion: version)
    guard epochs > 0, ended >= epochs else { return }
    let first = UInt64(ended + 1 - epochs) * schedule.versionsPerEpoch
    for table in tables.indices {
      guard case .optimizer(let group) = tables[table].spec.rule,
        tables[table].spec.initializer != .pushed
      else { continue }
      statistics.rowsExpired += tables[table].resetRows(
        lastUpdatedBy: schedule.updateCount(of: group, beforeVersion: first))
    }
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

/// Which versions can be read and contributed to.
///
/// No shard waits for ever. Let v be the lowest version of all servers, and take a shard that has
/// not contributed to v on a server that is at v. Its owner moves on only when every server has
/// acknowledged its pushes, so it is at v or below (or began there). Pulls of such versions are
/// answered at once, because only pulls of versions ahead of the tables wait. So the owner
/// contributes, and v rises.
extension ServerState {
  /// How many versions a contribution may be ahead of the tables.
  var mostAhead: UInt64 {
    min(consistency.bound ?? .max, UInt64(max(0, limits.versionsAhead)))
  }

  /// Whether a contribution to `later`, at or above the current version, can exist by now.
  func canTake(_ later: UInt64) -> Bool {
    let schedule = optimizer.schedule
    return later - version <= mostAhead
      && schedule.firstVersion(ofEpochOf: later) == schedule.firstVersion(ofEpochOf: version)
  }

  /// Whether no worker can need rows of this version any more. In `ssp` and `async` that is when
  /// its epoch is over: until then, another server may still lack a contribution to it.
  func isGone(_ asked: UInt64) -> Bool {
    guard asked < version else { return false }
    let schedule = optimizer.schedule
    return consistency.isExact
      || version - schedule.firstVersion(ofEpochOf: asked) > schedule.versionsPerEpoch
  }

  /// Whether the current rows can be returned for a version that is not gone.
  func isReadable(_ asked: UInt64) -> Bool {
    guard missingInitialValues.isEmpty else { return false }
    guard asked > version else { return true }
    let oldest = consistency.oldestVersion(
      for: asked, inEpochFrom: optimizer.schedule.firstVersion(ofEpochOf: asked))
    return version >= oldest && asked - version <= mostAhead
      && pending.byteCountAhead <= limits.aheadBytes
  }
}
