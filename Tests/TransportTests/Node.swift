import Foundation
import Protocol
import Transport

/// Code that a test runs on a loop's thread.
struct Script: Sendable {
  let run: @Sendable (NetworkLoop<Script>) -> Void
}

/// A loop on its thread, which a test controls.
final class Node: Sendable {
  let received = Channel<(message: WireMessage, peer: PeerID)>()
  let lost = Channel<(peer: PeerID, undelivered: Int)>()
  let ticks = Channel<Duration>()
  let thread: NetworkThread<Script>

  /// - Parameter echoes: sends every message back instead of handing it to the test.
  init(
    context: ZeroMQContext, echoes: Bool = false,
    configure: (inout NetworkLoopSettings) -> Void = { _ in }
  ) throws {
    var settings = NetworkLoopSettings()
    configure(&settings)
    let (received, lost, ticks) = (received, lost, ticks)
    thread = try NetworkThread(name: "test node", context: context, settings: settings) {
      Handler(echoes: echoes, received: received, lost: lost, ticks: ticks)
    }
  }

  /// Runs code on the loop's thread and waits for its result.
  func onLoop<Result: Sendable>(
    _ body: @escaping @Sendable (NetworkLoop<Script>) throws -> Result
  ) throws -> Result {
    let results = Channel<Swift.Result<Result, any Error>>()
    try thread.post(Script { loop in results.put(Swift.Result { try body(loop) }) })
    guard let result = results.next() else { throw TimedOut() }
    return try result.get()
  }

  func bind(_ endpoint: String = "tcp://127.0.0.1:*") throws -> NetworkLoop<Script>.Listener {
    try onLoop { try $0.bindRouter(endpoint) }
  }

  func connect(_ endpoint: Endpoint) throws -> PeerID {
    try onLoop { try $0.connectDealer(endpoint.description) }
  }

  func send(_ message: WireMessage, to peer: PeerID) throws {
    try onLoop { try $0.send(message, to: peer) }
  }

  func statistics() throws -> TransportStatistics {
    try onLoop { $0.statistics }
  }

  /// Ends the loop and closes its sockets.
  func stop() throws {
    thread.stop()
    try thread.join()
  }
}

struct TimedOut: Error {}

private final class Handler: NetworkHandler {
  let echoes: Bool
  let received: Channel<(message: WireMessage, peer: PeerID)>
  let lost: Channel<(peer: PeerID, undelivered: Int)>
  let ticks: Channel<Duration>

  init(
    echoes: Bool, received: Channel<(message: WireMessage, peer: PeerID)>,
    lost: Channel<(peer: PeerID, undelivered: Int)>, ticks: Channel<Duration>
  ) {
    self.echoes = echoes
    self.received = received
    self.lost = lost
    self.ticks = ticks
  }

  func started(on loop: NetworkLoop<Script>) {}

  func received(_ message: WireMessage, from peer: PeerID, on loop: NetworkLoop<Script>) {
    if echoes {
      // A peer that has left in the meantime gets no echo.
      try? loop.send(message, to: peer)
    } else {
      received.put((message, peer))
    }
  }

  func lost(_ peer: PeerID, undelivered: Int, on loop: NetworkLoop<Script>) {
    lost.put((peer, undelivered))
  }

  func ticked(at now: Duration, on loop: NetworkLoop<Script>) { ticks.put(now) }

  func posted(_ event: Script, on loop: NetworkLoop<Script>) { event.run(loop) }
}
