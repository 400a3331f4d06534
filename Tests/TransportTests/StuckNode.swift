import Foundation
import Protocol
import Transport

/// A node that sends its name and then receives nothing until ``proceed()``.
final class StuckNode: Sendable {
  let node: Node
  private let gate = DispatchSemaphore(value: 0)

  init(context: ZeroMQContext, to endpoint: Endpoint) throws {
    node = try Node(context: context) {
      $0.socket.receiveHighWaterMark = 1
      // libzmq 4.3 aborts when it pings on a connection that ended while its input was stopped
      // (out_event in stream_engine_base.cpp).
      $0.socket.heartbeatInterval = .zero
      $0.drainTime = .zero
    }
    let peer = try node.connect(endpoint)
    try node.send(WireMessage("stuck"), to: peer)
    let gate = gate
    try node.thread.post(Script { _ in gate.wait() })
  }

  /// Takes messages from now on.
  func proceed() { gate.signal() }

  /// Ends without having taken any.
  func leave() {
    node.thread.stop()
    gate.signal()
  }

  func finish() throws { try node.stop() }
}
