internal import CZeroMQ
import Protocol

extension ZeroMQSocket {
  enum Reception {
    /// No message waits.
    case nothing
    case message(WireMessage, from: [UInt8])
    /// An invalid message was read to its end and dropped.
    case dropped(byteCount: Int)
  }

  /// Receives the next message, without waiting.
  func receive() throws(TransportError) -> Reception {
    do {
      return try receiveMessage()
    } catch .wouldBlock {
      return .nothing
    } catch {
      throw TransportError(error, attempt: "receive a message")
    }
  }

  private func receiveMessage() throws(Errno) -> Reception {
    var routingID: [UInt8] = []
    var frames: [Payload] = []
    var byteCount = 0
    var isWithinLimits = true
    var isFirst = true
    while true {
      zmq_msg_init(scratch)
      defer { zmq_msg_close(scratch) }
      try callWithErrno { zmq_msg_recv(scratch, $0, ZMQ_DONTWAIT) }
      if isFirst, kind == .router {
        routingID = Array(scratch.bytes)
      } else {
        byteCount += scratch.bytes.count
        isWithinLimits = isWithinLimits && frames.count < options.maximumFrames
        if isWithinLimits { frames.append(try takeScratch()) }
      }
      isFirst = false
      guard zmq_msg_more(scratch) == 0 else { continue }
      guard isWithinLimits, !frames.isEmpty else { return .dropped(byteCount: byteCount) }
      return .message(WireMessage(frames: frames), from: routingID)
    }
  }

  private func takeScratch() throws(Errno) -> Payload {
    let bytes = scratch.bytes
    if bytes.count >= options.zeroCopyReceiveBytes { return try ReceivedFrame.sharing(scratch) }
    return Payload.make(UInt8.self, count: bytes.count) { copy in
      UnsafeMutableRawBufferPointer(copy).copyMemory(from: bytes)
    }
  }
}

extension UnsafeMutablePointer<zmq_msg_t> {
  var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: zmq_msg_data(self), count: zmq_msg_size(self))
  }
}

/// Keeps a received message alive for a payload. libzmq counts references to the bytes atomically,
/// so any thread may release it.
private final class ReceivedFrame: @unchecked Sendable {  // `message` is only touched by deinit
  private let message: UnsafeMutablePointer<zmq_msg_t>

  /// A payload that shares the bytes of `source`.
  static func sharing(_ source: UnsafeMutablePointer<zmq_msg_t>) throws(Errno) -> Payload {
    let frame = try ReceivedFrame(source)
    return Payload(bytes: frame.message.bytes) { withExtendedLifetime(frame) {} }
  }

  private init(_ source: UnsafeMutablePointer<zmq_msg_t>) throws(Errno) {
    message = .allocate(capacity: 1)
    zmq_msg_init(message)
    _ = try valueOrErrno { zmq_msg_copy(message, source) }
  }

  deinit {
    zmq_msg_close(message)
    message.deallocate()
  }
}
