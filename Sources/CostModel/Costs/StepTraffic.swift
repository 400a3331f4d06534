import Protocol
import Tables

/// The messages of a step between workers and servers: how many, and their bytes, as the program
/// encodes them. Heartbeats, tasks and evaluations are not among them.
package struct StepTraffic: Sendable, Equatable {
  /// Of the worker with most shards.
  package let worker: TwoWayTraffic
  /// Of the server with most bytes.
  package let server: TwoWayTraffic
  /// Of all servers together: every message of a step is received or sent by one.
  package let servers: TwoWayTraffic
  /// The worker's, by what they are for.
  package let exchanges: [StepExchange: TwoWayTraffic]

  package init(_ size: RunSize, _ shape: StepShape) {
    let count = size.servers
    var total = [TwoWayTraffic](repeating: TwoWayTraffic(), count: count)
    var largest: [StepExchange: TwoWayTraffic] = [:]
    let messages = StepMessages(size, shape)
    for (load, workers) in Self.loads(size) {
      var sums: [StepExchange: TwoWayTraffic] = [:]
      for server in 0..<count {
        for (kind, exchange) in messages.exchanges(shards: load, server: server) {
          sums[kind, default: TwoWayTraffic()] += exchange
          for _ in 0..<workers { total[server] += exchange.reversed }
        }
      }
      if Self.sum(sums).both.bytes >= Self.sum(largest).both.bytes { largest = sums }
    }
    exchanges = largest
    worker = Self.sum(largest)
    server = total.max { $0.both.bytes < $1.both.bytes } ?? TwoWayTraffic()
    servers = total.reduce(into: TwoWayTraffic()) { $0 += $1 }
  }

  private static func sum(_ exchanges: [StepExchange: TwoWayTraffic]) -> TwoWayTraffic {
    StepExchange.allCases.reduce(into: TwoWayTraffic()) { sum, kind in
      if let exchange = exchanges[kind] { sum += exchange }
    }
  }

  /// Numbers of shards, with how many workers have so many.
  private static func loads(_ size: RunSize) -> [(shards: Int, workers: Int)] {
    let (least, extra) = size.shards.quotientAndRemainder(dividingBy: size.workers)
    return [(least + 1, extra), (least, size.workers - extra)].filter { $0.0 > 0 && $0.1 > 0 }
  }
}

/// What messages of a step are for.
package enum StepExchange: String, Sendable, CaseIterable, Encodable {
  case pull, norms, propagated, push
  /// The sums of an epoch, at its end.
  case reports
}

/// The messages of one worker and one server in a step.
private struct StepMessages {
  private let size: RunSize
  private let shape: StepShape
  private let places: TablePlaces
  /// Of one shard, and of all together.
  private let shardRows: PartRows
  private let batchRows: PartRows

  // Numbers in the middle of a run: their size in a message depends on their digits.
  private static let id: UInt64 = 100_000
  private static let version: UInt64 = 10_000
  private static let name = ContributionName(generation: 1, version: version, shard: 0)

  init(_ size: RunSize, _ shape: StepShape) {
    self.size = size
    self.shape = shape
    places = TablePlaces(size.tables, serverCount: size.servers)
    shardRows = size.rows(share: 1 / Double(size.shards))
    batchRows = size.rows(share: 1)
  }

  /// What a worker sends to a server, and receives from it.
  ///
  /// - Parameter shards: of the worker.
  func exchanges(shards: Int, server: Int) -> [StepExchange: TwoWayTraffic] {
    let rows = size.rows(share: Double(shards) / Double(size.shards))
    var result: [StepExchange: TwoWayTraffic] = [
      .reports: lastPull(
        shards: shards, sums: shape.versions.last?.sums ?? [:], server: server)
    ]
    for version in shape.versions {
      result[.pull, default: TwoWayTraffic()] += pull(
        version, rows: rows, shards: shards, server: server)
      result[.push, default: TwoWayTraffic()] += pushes(version, shards: shards, server: server)
      if version.norms > 0, server == 0 {
        result[.norms, default: TwoWayTraffic()] += norms(version, shards: shards)
      }
      if version.exchangesPropagated {
        result[.propagated, default: TwoWayTraffic()] += propagated(version, shards: shards)
      }
    }
    return result
  }

  // MARK: Messages

  private func pull(
    _ version: VersionShape, rows: PartRows, shards: Int, server: Int
  ) -> TwoWayTraffic {
    let parts = sections(version.pull, rows: rows, server: server)
    let request = DataRequest(
      id: Self.id,
      body: .pull(
        PullRequest(
          generation: 1, version: Self.version, sections: parts.list, keys: .empty,
          confirmed: (0..<shards).map { UInt32($0) })))
    let reply = DataReply(
      requestID: Self.id,
      body: .pulled(PullReply(version: Self.version, sections: parts.list, values: .empty)))
    return Self.exchange(
      request.encoded().byteCount + parts.keyBytes, reply.encoded().byteCount + parts.valueBytes)
  }

  /// An epoch ends with a pull without rows, for the sums of its shards.
  private func lastPull(
    shards: Int, sums: [String: Double], server: Int
  ) -> TwoWayTraffic {
    let request = DataRequest(
      id: Self.id,
      body: .pull(
        PullRequest(
          generation: 1, version: Self.version, sections: [], keys: .empty,
          confirmed: (0..<shards).map { UInt32($0) }, wantsReports: true)))
    let reports = server > 0 ? [] : (0..<shards).map { UnitReport(unit: UInt32($0), sums: sums) }
    let reply = DataReply(
      requestID: Self.id,
      body: .pulled(
        PullReply(version: Self.version, sections: [], values: .empty, reports: reports)))
    return Self.exchange(request.encoded().byteCount, reply.encoded().byteCount)
      / Double(size.stepsPerEpoch)
  }

  /// Server 0 adds the numbers of all shards.
  private func norms(_ version: VersionShape, shards: Int) -> TwoWayTraffic {
    let values = (0..<version.norms).map { Double($0) + 0.1 }
    let request = DataRequest(
      id: Self.id, body: .reduce(ReduceRequest(name: Self.name, values: values)))
    let reply = DataReply(requestID: Self.id, body: .reduced(ReduceReply(values: values)))
    return Self.exchange(request.encoded().byteCount, reply.encoded().byteCount, times: shards)
  }

  /// Only the first shard of a worker asks for the sums.
  private func propagated(_ version: VersionShape, shards: Int) -> TwoWayTraffic {
    var result = TwoWayTraffic()
    let parts = sections(version.propagated, rows: shardRows, server: nil)
    let sums = sections(version.propagated, rows: batchRows, server: nil)
    for shard in 0..<shards {
      let request = DataRequest(
        id: Self.id,
        body: .reduce(
          ReduceRequest(
            name: Self.name, stage: .propagated,
            rows: GradientRows(sections: parts.list, keys: .empty, values: .empty),
            wantsRows: shard == 0)))
      let rows = GradientRows(
        sections: shard == 0 ? sums.list : [], keys: .empty, values: .empty)
      let reply = DataReply(
        requestID: Self.id, body: .reduced(ReduceReply(values: [], rows: rows)))
      result += Self.exchange(
        request.encoded().byteCount + parts.keyBytes + parts.valueBytes,
        reply.encoded().byteCount + (shard == 0 ? sums.keyBytes + sums.valueBytes : 0))
    }
    return result
  }

  private func pushes(_ version: VersionShape, shards: Int, server: Int) -> TwoWayTraffic {
    let parts = sections(version.push, rows: shardRows, server: server)
    let request = DataRequest(
      id: Self.id,
      body: .push(
        PushRequest(
          name: Self.name, kind: .gradient, sections: parts.list, keys: .empty, values: .empty,
          sums: server == 0 ? version.sums : [:])))
    let reply = DataReply(requestID: Self.id, body: .pushed(.accepted))
    return Self.exchange(
      request.encoded().byteCount + parts.keyBytes + parts.valueBytes, reply.encoded().byteCount,
      times: shards)
  }

  private static func exchange(
    _ request: Int, _ reply: Int, times: Int = 1
  ) -> TwoWayTraffic {
    var result = TwoWayTraffic()
    result.sent.add(messages: Double(times), bytes: Double(request))
    result.received.add(messages: Double(times), bytes: Double(reply))
    return result
  }

  // MARK: Sections

  private struct Parts {
    var list: [TableSection] = []
    var keyBytes = 0
    var valueBytes = 0
  }

  /// - Parameters:
  ///   - rows: the distinct rows that the message is about.
  ///   - server: which has its rows of the tables; nil: row r of propagated matrices is that of
  ///     server r mod S.
  private func sections(
    _ sections: [VersionShape.Section], rows: PartRows, server: Int?
  ) -> Parts {
    var parts = Parts()
    for section in sections {
      let all =
        server == nil
        ? shape.rows(section, users: size.users, items: size.items)
        : size.tables[section.table].rows
      let isWhole = section.selected == .whole
      let share =
        server.map { places.rows[section.table][$0] / Double(all) } ?? 1 / Double(size.servers)
      let count =
        section.selected.count(rows: all, part: rows, shards: size.shards) * share
      guard count >= 0.5 else { continue }
      parts.list.append(
        TableSection(
          table: UInt32(section.table), rowCount: UInt32(clamping: Int(count.rounded())),
          width: UInt32(section.width), isWhole: isWhole))
      if !isWhole { parts.keyBytes += Int((count * 4).rounded()) }
      parts.valueBytes += Int((count * Double(section.width) * 4).rounded())
    }
    return parts
  }
}
