import Checkpoints
import Protocol
import Transport

/// A conversation with another server about one file, piece by piece. Blocks its thread, which must
/// not be one that answers the network.
struct CopyExchange {
  /// The other server's address.
  let endpoint: String
  let security: Security
  /// Whether the result is still of use: the generation has not ended.
  let isWanted: () -> Bool

  /// Seconds without an accepted piece after which the exchange fails.
  private static let patience = 20.0

  /// Sends requests one after the other.
  ///
  /// - Parameter next: returns the first request, and with every answer the next; nil at the end.
  /// - Throws: `CheckpointError` with the cause, and the errors of `next`.
  func run(_ next: @escaping (CopyReply?) throws -> CopyRequest?) throws {
    let context = try ZeroMQContext()
    // The loop has closed its socket when it ends.
    defer { try? context.terminate() }
    var settings = NetworkLoopSettings()
    settings.security = security
    settings.drainTime = .zero
    let handler = CopyHandler(
      endpoint: endpoint, patience: Self.patience, isWanted: isWanted, next: next)
    do {
      let loop = try NetworkLoop<Never>(context: context, settings: settings)
      try loop.run(handler)
    }
    if let failure = handler.failure { throw failure }
  }

  /// Brings a file from the server's disk to this machine's.
  ///
  /// - Throws: `CheckpointError` with the cause.
  func fetch(_ file: CopiedFile, into store: CheckpointStore, runID: String) throws {
    let incoming = try IncomingCopy(file, in: store)
    try run { reply in
      if let reply { try incoming.add(reply.bytes, at: incoming.byteCount) }
      if incoming.isComplete { return nil }
      return file.request(.fetch, at: incoming.byteCount, runID: runID)
    }
  }
}

/// One request at a time; it is sent again until it is answered.
private final class CopyHandler: NetworkHandler {
  typealias Event = Never

  private let endpoint: String
  private let patience: Double
  private let isWanted: () -> Bool
  private let next: (CopyReply?) throws -> CopyRequest?
  private var peer: PeerID?
  private var request: DataRequest?
  private var sentAt = 0.0
  private var movedAt = MonotonicClock.seconds
  /// Why the last request was refused for the time being.
  private var obstacle = "it does not answer"
  private(set) var failure: (any Error)?

  /// Seconds after which a request is sent again.
  private static let retryInterval = 2.0

  init(
    endpoint: String, patience: Double, isWanted: @escaping () -> Bool,
    next: @escaping (CopyReply?) throws -> CopyRequest?
  ) {
    self.endpoint = endpoint
    self.patience = patience
    self.isWanted = isWanted
    self.next = next
  }

  func started(on loop: NetworkLoop<Never>) throws {
    peer = try loop.connectDealer(endpoint)
    advance(nil, on: loop)
  }

  private func advance(_ reply: CopyReply?, on loop: NetworkLoop<Never>) {
    do {
      guard let copy = try next(reply) else { return loop.stop() }
      movedAt = MonotonicClock.seconds
      request = DataRequest(id: (request?.id ?? 0) + 1, body: .copy(copy))
      send(on: loop)
    } catch {
      fail(error, on: loop)
    }
  }

  private func send(on loop: NetworkLoop<Never>) {
    guard let peer, let request else { return }
    sentAt = MonotonicClock.seconds
    do {
      try loop.send(request.encoded(), to: peer)
    } catch {
      obstacle = error.message
    }
  }

  private func fail(_ error: any Error, on loop: NetworkLoop<Never>) {
    failure = error
    loop.stop()
  }

  func received(_ message: WireMessage, from peer: PeerID, on loop: NetworkLoop<Never>) {
    guard let reply = try? DataReply(decoding: message), reply.requestID == request?.id else {
      return
    }
    switch reply.body {
    case .copied(let copied): advance(copied, on: loop)
    case .refused(let refusal) where refusal.code == .notReady || refusal.code == .limit:
      obstacle = refusal.message
    case .refused(let refusal):
      fail(CheckpointError(.inputOutput, refusal.message), on: loop)
    case .welcome, .pulled, .pushed, .reduced:
      fail(
        CheckpointError(
          .inputOutput, "The server at \(endpoint) gave an answer that has no file."),
        on: loop)
    }
  }

  func ticked(at now: Duration, on loop: NetworkLoop<Never>) {
    let now = MonotonicClock.seconds
    if !isWanted() {
      return fail(
        CheckpointError(.inputOutput, "The generation of the file has ended."), on: loop)
    }
    if now - movedAt > patience {
      return fail(
        CheckpointError(
          .inputOutput,
          "The server at \(endpoint) has taken no piece of a file for \(Int(patience)) s: "
            + "\(obstacle)."),
        on: loop)
    }
    if now - sentAt > Self.retryInterval { send(on: loop) }
  }

  func lost(_ peer: PeerID, undelivered: Int, on loop: NetworkLoop<Never>) {}

  func posted(_ event: Never, on loop: NetworkLoop<Never>) {}
}
