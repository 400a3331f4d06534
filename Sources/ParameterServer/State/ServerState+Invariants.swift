import Protocol
import Tables

extension ServerState {
  /// The invariants that do not hold, as messages; empty for every reachable state. O(rows): for
  /// tests and simulations.
  package var brokenInvariants: [String] {
    brokenProtocolInvariants + brokenStalenessInvariants + brokenReductionInvariants
      + brokenTableInvariants
  }

  private var brokenProtocolInvariants: [String] {
    var broken: [String] = []
    if canFinishVersion { broken.append("a complete version was not applied") }
    if epochSums.isKept != (rank == 0) {
      broken.append("epoch sums are kept by another server than server 0")
    }
    if epochSums.mostNamesInUse > EpochSums.mostNames { broken.append("too many named sums") }
    if parkedPulls.count > limits.parkedPulls { broken.append("too many parked pulls") }
    for pull in parkedPulls {
      let isAhead = pull.version > version && pull.version - version <= mostAhead + 1
      let waitsForValues = pull.version == version && !missingInitialValues.isEmpty
      if isReadable(pull.version) || (!isAhead && !waitsForValues) {
        broken.append("a pull of version \(pull.version) waits at version \(version)")
      }
      if peers[pull.peer] == nil { broken.append("a pull of an unknown peer is parked") }
    }
    let parked = parkedPulls.map {
      Reductions.Waiter(peer: $0.peer, requestID: $0.requestID, wantsRows: false)
    }
    if Set(parked).count != parked.count { broken.append("a pull is parked twice") }
    if !missingInitialValues.isConsistent { broken.append("missing rows are miscounted") }
    if !missingInitialValues.isEmpty && version > 0 {
      broken.append("training began without initial values")
    }
    if peers.count > limits.peers { broken.append("too many peers") }
    return broken
  }

  private var brokenStalenessInvariants: [String] {
    var broken = pending.brokenInvariants
    if pending.countAhead > Int(mostAhead) { broken.append("contributions are too far ahead") }
    if pending.countAhead > 0, !canTake(version + UInt64(pending.countAhead)) {
      broken.append("contributions are for another epoch than the tables'")
    }
    if pending.byteCount > limits.contributionBytes {
      broken.append("contributions exceed the byte limit")
    }
    if let bound = consistency.bound, statistics.greatestStaleness > bound {
      broken.append("rows were \(statistics.greatestStaleness) versions old, more than \(bound)")
    }
    return broken
  }

  private var brokenReductionInvariants: [String] {
    var broken: [String] = []
    if reductions.waiterCount > limits.parkedReduces { broken.append("too many parked reduces") }
    for stage in reductions.unfinished.values {
      if stage.shares.count >= shardCount { broken.append("complete sums were not answered") }
      if stage.shares.keys.contains(where: { $0 >= shardCount }) {
        broken.append("values of a shard that does not exist")
      }
      if Set(stage.waiters).count != stage.waiters.count {
        broken.append("a reduce is parked twice")
      }
      if stage.waiters.contains(where: { peers[$0.peer] == nil }) {
        broken.append("a reduce of an unknown peer is parked")
      }
      if stage.rowByteCount > limits.replyBytes {
        broken.append("rows of reductions exceed the byte limit")
      }
    }
    if Set(reductions.finished.map(\.version)).count > Reductions<Peer>.keptVersions {
      broken.append("too many sums are kept")
    }
    return broken
  }

  private var brokenTableInvariants: [String] {
    var broken: [String] = []
    for table in tables {
      if table.blocks.reduce(0, { $0 + $1.rowCount }) != table.rowCount {
        broken.append("the blocks of table '\(table.spec.name)' do not hold its rows")
      }
      guard case .optimizer(let group) = table.spec.rule, table.layout.tracksUpdates else {
        continue
      }
      let stepCount = optimizer.stepCount(of: group)
      if stepCount != optimizer.schedule.updateCount(of: group, beforeVersion: version) {
        broken.append("the step count of table '\(table.spec.name)' is wrong")
      }
      for index in 0..<table.rowCount where table.lastUpdate(at: index) > stepCount {
        broken.append("row \(index) of table '\(table.spec.name)' has more updates than steps")
      }
    }
    return broken
  }
}
