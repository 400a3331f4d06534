import Foundation
import Protocol
import Synchronization
import Transport

/// Measures what a message costs the processes that send and receive it: messages are sent back and
/// forth between two sockets of this process, over the loopback of this machine.
struct TransportProbe {
  /// Seconds of processor time that a process needs to send or to receive a message, apart from
  /// its bytes.
  let secondsPerMessage: Double
  /// Seconds for each byte of it, to send or to receive.
  let secondsPerByte: Double

  private static let smallBytes = 512
  private static let largeBytes = 1 << 20

  /// - Throws: `TransportError` if no socket can be opened.
  init() throws {
    let small = try Self.seconds(bytes: Self.smallBytes, exchanges: 400)
    let large = try Self.seconds(bytes: Self.largeBytes, exchanges: 60)
    secondsPerByte = max(0, (large - small) / Double(Self.largeBytes - Self.smallBytes))
    secondsPerMessage = max(0, small - secondsPerByte * Double(Self.smallBytes))
  }

  /// Of one process for one message: an exchange is two messages, each sent and received.
  private static func seconds(bytes: Int, exchanges: Int) throws -> Double {
    let context = try ZeroMQContext()
    let done = DispatchSemaphore(value: 0)
    let address = Mutex<String?>(nil)
    let bound = DispatchSemaphore(value: 0)
    let echo = try NetworkThread<Void>(name: "probe", context: context) {
      EchoHandler { endpoint in
        address.withLock { $0 = endpoint }
        bound.signal()
      }
    }
    bound.wait()
    guard let endpoint = address.withLock({ $0 }) else {
      try echo.join()
      return 0
    }
    let seconds = Mutex(0.0)
    let caller = try NetworkThread<Void>(name: "probe", context: context) {
      CallHandler(endpoint: endpoint, bytes: bytes, exchanges: exchanges) { elapsed in
        seconds.withLock { $0 = elapsed }
        done.signal()
      }
    }
    _ = done.wait(timeout: .now() + 60)
    for thread in [caller, echo] {
      thread.stop()
      try thread.join()
    }
    try context.terminate()
    return seconds.withLock { $0 } / Double(4 * exchanges)
  }
}

/// Sends every message back.
private final class EchoHandler: NetworkHandler {
  private let bound: (String?) -> Void

  init(bound: @escaping (String?) -> Void) { self.bound = bound }

  func started(on loop: NetworkLoop<Void>) throws {
    do {
      bound(try loop.bindRouter("tcp://127.0.0.1:*").endpoint.description)
    } catch {
      bound(nil)
      throw error
    }
  }

  func received(_ message: WireMessage, from peer: PeerID, on loop: NetworkLoop<Void>) {
    // A peer that has left needs no answer.
    try? loop.send(message, to: peer)
  }

  func lost(_ peer: PeerID, undelivered: Int, on loop: NetworkLoop<Void>) {}
  func ticked(at now: Duration, on loop: NetworkLoop<Void>) {}
  func posted(_ event: Void, on loop: NetworkLoop<Void>) {}
}

/// Sends a message again each time that it comes back.
private final class CallHandler: NetworkHandler {
  private static let warmUp = 20

  private let endpoint: String
  private let message: WireMessage
  private let exchanges: Int
  private let done: (Double) -> Void
  private let caches = ProcessorCaches()
  private var count = 0
  private var time = ProcessorTime()
  /// Seconds that emptying the caches took, which are not of the messages.
  private var evicting = 0.0

  init(endpoint: String, bytes: Int, exchanges: Int, done: @escaping (Double) -> Void) {
    self.endpoint = endpoint
    // As a pull or a push: a header, keys and values.
    let header = Payload.copying([UInt8](repeating: 1, count: 64))
    let keys = Payload.copying([UInt8](repeating: 1, count: bytes / 64))
    let values = Payload.copying([UInt8](repeating: 1, count: bytes - 64 - bytes / 64))
    message = WireMessage(frames: [header, keys, values])
    self.exchanges = exchanges
    self.done = done
  }

  func started(on loop: NetworkLoop<Void>) throws {
    try loop.send(message, to: try loop.connectDealer(endpoint))
  }

  func received(_ message: WireMessage, from peer: PeerID, on loop: NetworkLoop<Void>) {
    count += 1
    if count == Self.warmUp {
      time = ProcessorTime()
      evicting = 0
    }
    if count == Self.warmUp + exchanges { done(time.elapsed - evicting) }
    // As in a step, in which other bytes are used between two messages.
    let eviction = ProcessorTime()
    caches.evict()
    evicting += eviction.elapsed
    if count < Self.warmUp + exchanges { try? loop.send(self.message, to: peer) }
  }

  func lost(_ peer: PeerID, undelivered: Int, on loop: NetworkLoop<Void>) {}
  func ticked(at now: Duration, on loop: NetworkLoop<Void>) {}
  func posted(_ event: Void, on loop: NetworkLoop<Void>) {}
}
