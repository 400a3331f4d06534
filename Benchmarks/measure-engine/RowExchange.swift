import CostModel
import Foundation
import Protocol
import Recommenders
import Runtime
import Synchronization
import Tables
import Tensors
import Transport
import Worker

/// What is measured of one kind of exchange.
struct ExchangeResult: Encodable {
  let name: String
  /// Rows of a message.
  let rows: Int
  /// Messages that are under way at a time.
  let window: Int
  let rowsPerSecond: Double
  let bytesPerSecond: Double
  /// Processor seconds of worker and server, of all their threads, for each GB.
  let workerSeconds: Double
  let serverSeconds: Double
  /// Milliseconds from the rows that are needed to their matrix, or from a push to its end.
  let median: Double
  let p99: Double
}

/// A worker's side: requests are made, and replies used, on the calling thread, and pass through a
/// network thread, as in a worker's process.
final class RowExchange {
  private let routing: TableRouting
  private let link: ServerLink
  private let process: Int32
  private let width: Int
  /// Selections of rows by their number.
  private var selections: [Int: [[Int32]]] = [:]
  private let tableRows: Int
  private var version: UInt64 = 0
  private var lastID: UInt64 = 0

  init(_ options: TableOptions, server: String, process: Int32) throws {
    routing = TableRouting(tables: [MeasuredRun.table(options)], serverCount: 1)
    tableRows = options.rows
    width = options.width
    self.process = process
    link = try ServerLink(server)
    let hello = DataHello(
      runID: MeasuredRun.id, generation: MeasuredRun.generation, sender: "worker 0")
    guard case .welcome = try call(.hello(hello)) else {
      throw MeasurementError("The server did not welcome the worker.")
    }
  }

  func close() throws { try link.close() }

  /// Gradients of random rows, one message per version: each is acknowledged, and then confirmed,
  /// which makes the server apply it. The next message is made meanwhile.
  func push(_ rows: Int, seconds: Double) throws -> ExchangeResult {
    let gradients = Inputs.matrix(rows, width)
    _ = selection(rows, 0)
    var turn = 0
    func next(_ version: UInt64) throws -> PushRequest {
      defer { turn += 1 }
      return try pushRequest(selection(rows, turn), gradients, version: version)
    }
    let meter = try ExchangeMeter(process)
    var request = try next(version)
    repeat {
      let start = meter.now
      guard case .pushed(.accepted) = try call(.push(request)) else {
        throw MeasurementError("The server did not accept a push.")
      }
      let confirmation = PullPlan([.none], version: version + 1, routing: routing)
        .requests(generation: MeasuredRun.generation, confirmed: [0])[0].body
      let id = try send(.pull(confirmation))
      version += 1
      request = try next(version)
      guard case .pulled = try receive(id) else {
        throw MeasurementError("The server did not begin a version.")
      }
      meter.add(start)
    } while meter.elapsed < seconds
    return meter.result("push", rows: rows, window: 1, bytesPerRow: width * 4 + 4)
  }

  /// Random rows, as matrices.
  func pull(_ rows: Int, window: Int, seconds: Double) throws -> ExchangeResult {
    let matrix = Matrix(rows: rows, columns: width)
    _ = selection(rows, 0)
    var turn = 0
    var waiting: [(id: UInt64, plan: PullPlan, start: Double)] = []
    let meter = try ExchangeMeter(process)
    func begin() throws {
      let start = meter.now
      let plan = PullPlan(
        [.listed(selection(rows, turn))], version: version, routing: routing)
      turn += 1
      let request = plan.requests(generation: MeasuredRun.generation)[0].body
      waiting.append((try send(.pull(request)), plan, start))
    }
    repeat {
      while waiting.count < window { try begin() }
      let first = waiting.removeFirst()
      guard case .pulled(let reply) = try receive(first.id) else {
        throw MeasurementError("The server did not answer a pull.")
      }
      _ = try first.plan.assemble([reply]) { _, _ in matrix }
      meter.add(first.start)
    } while meter.elapsed < seconds
    let result = meter.result("pull", rows: rows, window: window, bytesPerRow: width * 4 + 4)
    for entry in waiting { _ = try receive(entry.id) }
    return result
  }

  /// The push of a version that is over, which the server recognises and does not apply: what
  /// messages cost without rows.
  func resend(rows: Int, window: Int, seconds: Double) throws -> ExchangeResult {
    guard version > 0 else { throw MeasurementError("No version is over.") }
    let request = try pushRequest(
      selection(rows, 0), Inputs.matrix(rows, width), version: version - 1)
    var waiting: [(id: UInt64, start: Double)] = []
    let meter = try ExchangeMeter(process)
    repeat {
      while waiting.count < window { waiting.append((try send(.push(request)), meter.now)) }
      let first = waiting.removeFirst()
      guard case .pushed(.duplicate) = try receive(first.id) else {
        throw MeasurementError("The server applied a push twice.")
      }
      meter.add(first.start)
    } while meter.elapsed < seconds
    let result = meter.result("messages", rows: rows, window: window, bytesPerRow: width * 4 + 4)
    for entry in waiting { _ = try receive(entry.id) }
    return result
  }

  // MARK: Requests

  private func pushRequest(
    _ rows: [Int32], _ values: Matrix, version: UInt64
  ) throws -> PushRequest {
    guard let routed = routing.route(.listed(rows), table: 0) else {
      throw MeasurementError("No rows are chosen.")
    }
    let name = ContributionName(
      generation: MeasuredRun.generation, version: version, shard: 0)
    return try PushPlan(parts: [.init(table: 0, rows: routed, values: values)])
      .requests(name: name, kind: .gradient, routing: routing)[0].body
  }

  /// Random rows, the same for the same turn; made in the first one.
  private func selection(_ count: Int, _ turn: Int) -> [Int32] {
    if selections[count] == nil {
      selections[count] = (0..<16).map { Inputs.rows(count, below: tableRows, id: 100 + $0) }
    }
    return selections[count].map { $0[turn % $0.count] } ?? []
  }

  private func call(_ body: DataRequestBody) throws -> DataReplyBody {
    try receive(try send(body))
  }

  private func send(_ body: DataRequestBody) throws -> UInt64 {
    lastID += 1
    try link.send(DataRequest(id: lastID, body: body))
    return lastID
  }

  /// Replies come in the order of the requests.
  private func receive(_ id: UInt64) throws -> DataReplyBody {
    let reply = try link.next()
    guard reply.requestID == id else {
      throw MeasurementError("Received reply \(reply.requestID) instead of \(id).")
    }
    if case .refused(let refusal) = reply.body {
      throw MeasurementError("The server refused a request: \(refusal.message).")
    }
    return reply.body
  }
}

/// Time and processor time of both processes.
private final class ExchangeMeter {
  private let server: Int32
  private let start: Double
  private let processor = ProcessorTime()
  private let serverStart: Double
  private var times: [Double] = []

  init(_ server: Int32) throws {
    self.server = server
    serverStart = try ProcessorTime.seconds(ofProcess: server)
    start = MonotonicClock.seconds
  }

  var now: Double { MonotonicClock.seconds }
  var elapsed: Double { now - start }

  /// An exchange that began at a time is over.
  func add(_ begin: Double) { times.append(now - begin) }

  func result(_ name: String, rows: Int, window: Int, bytesPerRow: Int) -> ExchangeResult {
    let seconds = elapsed
    let total = Double(rows * times.count)
    let gigabytes = total * Double(bytesPerRow) / 1e9
    let workerSeconds = processor.elapsed
    let serverSeconds = ((try? ProcessorTime.seconds(ofProcess: server)) ?? 0) - serverStart
    let sorted = times.sorted()
    return ExchangeResult(
      name: name, rows: rows, window: window, rowsPerSecond: total / seconds,
      bytesPerSecond: total * Double(bytesPerRow) / seconds,
      workerSeconds: workerSeconds / gigabytes, serverSeconds: serverSeconds / gigabytes,
      median: sorted[sorted.count / 2] * 1e3,
      p99: sorted[min(sorted.count - 1, sorted.count * 99 / 100)] * 1e3)
  }
}

/// A connection to a server, on a network thread.
private final class ServerLink {
  private let context: ZeroMQContext
  private let thread: NetworkThread<DataRequest>
  private let inbox = Inbox()

  init(_ endpoint: String) throws {
    context = try ZeroMQContext()
    thread = try NetworkThread<DataRequest>(name: "worker-network", context: context) {
      [inbox] in LinkHandler(endpoint, inbox)
    }
  }

  func send(_ request: DataRequest) throws { try thread.post(request) }

  /// Waits for the next reply.
  func next() throws -> DataReply { try inbox.next() }

  func close() throws {
    thread.stop()
    try thread.join()
    try context.terminate()
  }
}

/// Replies on their way from the network thread.
private final class Inbox: Sendable {
  private let replies = Mutex<[DataReply]>([])
  private let count = DispatchSemaphore(value: 0)

  func add(_ reply: DataReply) {
    replies.withLock { $0.append(reply) }
    count.signal()
  }

  func next() throws -> DataReply {
    guard count.wait(timeout: .now() + 60) == .success else {
      throw MeasurementError("The server did not answer within 60 s.")
    }
    return replies.withLock { $0.removeFirst() }
  }
}

private final class LinkHandler: NetworkHandler {
  typealias Event = DataRequest

  private let endpoint: String
  private let inbox: Inbox
  private var peer: PeerID?

  init(_ endpoint: String, _ inbox: Inbox) {
    self.endpoint = endpoint
    self.inbox = inbox
  }

  func started(on loop: NetworkLoop<DataRequest>) throws {
    peer = try loop.connectDealer(endpoint)
  }

  func posted(_ request: DataRequest, on loop: NetworkLoop<DataRequest>) {
    if let peer { try? loop.send(request.encoded(), to: peer) }
  }

  func received(_ message: WireMessage, from peer: PeerID, on loop: NetworkLoop<DataRequest>) {
    if let reply = try? DataReply(decoding: message) { inbox.add(reply) }
  }

  func lost(_ peer: PeerID, undelivered: Int, on loop: NetworkLoop<DataRequest>) {}
  func ticked(at now: Duration, on loop: NetworkLoop<DataRequest>) {}
}
