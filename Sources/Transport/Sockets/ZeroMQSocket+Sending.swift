internal import CZeroMQ
import Protocol

extension ZeroMQSocket {
  enum SendOutcome {
    case sent
    /// The peer's queue in libzmq is full; nothing was sent.
    case wouldBlock
    /// A router has no such peer; nothing was sent.
    case unreachable
  }

  /// Sends a whole message or nothing of it, without waiting.
  ///
  /// - Parameters:
  ///   - routingID: of a router's peer; empty for a dealer.
  ///   - pinned: counts the bytes that libzmq will hold without a copy.
  func send(
    _ message: WireMessage, to routingID: [UInt8], pinned: ByteCount
  ) throws(TransportError) -> SendOutcome {
    do {
      if !routingID.isEmpty {
        try scratch.initialize(byteCount: routingID.count)
        routingID.withUnsafeBytes { scratch.write($0) }
        try sendScratch(isLast: false)
      }
      try sendFrames(of: message, pinned: pinned)
      return .sent
    } catch .wouldBlock {
      return .wouldBlock
    } catch .unreachable {
      return .unreachable
    } catch {
      throw TransportError(error, attempt: "send a message of \(message.byteCount) bytes")
    }
  }

  /// libzmq decides at the first frame whether a message fits. A later frame fails only when a
  /// dealer's connection breaks in between. libzmq then drops the first frames and ignores the
  /// rest of the message, so all frames must be passed before the message is sent again.
  private func sendFrames(of message: WireMessage, pinned: ByteCount) throws(Errno) {
    var failure: Errno?
    for (index, frame) in message.frames.enumerated() {
      if frame.byteCount >= options.zeroCopySendBytes {
        try scratch.initialize(sharing: frame, pinned: pinned)
      } else {
        try scratch.initialize(byteCount: frame.byteCount)
        frame.withUnsafeBytes { scratch.write($0) }
      }
      do {
        try sendScratch(isLast: index == message.frames.count - 1)
      } catch {
        guard index > 0 else { throw error }
        failure = failure ?? error
      }
    }
    if let failure { throw failure }
  }

  private func sendScratch(isLast: Bool) throws(Errno) {
    do {
      try callWithErrno { zmq_msg_send(scratch, $0, ZMQ_DONTWAIT | (isLast ? 0 : ZMQ_SNDMORE)) }
    } catch {
      zmq_msg_close(scratch)
      throw error
    }
  }
}

/// Keeps a payload alive until libzmq has sent it and releases it, mostly on an I/O thread.
private final class OutgoingFrame: Sendable {
  private let payload: Payload
  private let pinned: ByteCount

  init(_ payload: Payload, pinned: ByteCount) {
    self.payload = payload
    self.pinned = pinned
    pinned.add(payload.byteCount)
  }

  deinit { pinned.subtract(payload.byteCount) }
}

extension UnsafeMutablePointer<zmq_msg_t> {
  /// Makes the message share the bytes of `payload`.
  func initialize(sharing payload: Payload, pinned: ByteCount) throws(Errno) {
    let frame = Unmanaged.passRetained(OutgoingFrame(payload, pinned: pinned))
    do {
      _ = try valueOrErrno {
        zmq_msg_init_data(
          self, UnsafeMutableRawPointer(mutating: payload.bytes.baseAddress), payload.byteCount,
          { _, hint in
            if let hint { Unmanaged<OutgoingFrame>.fromOpaque(hint).release() }
          },
          frame.toOpaque())
      }
    } catch {
      frame.release()
      throw error
    }
  }

  /// Makes a message of `byteCount` bytes, to be filled by ``write(_:)``.
  func initialize(byteCount: Int) throws(Errno) {
    _ = try valueOrErrno { zmq_msg_init_size(self, byteCount) }
  }

  func write(_ bytes: UnsafeRawBufferPointer) {
    guard let source = bytes.baseAddress, let target = zmq_msg_data(self) else { return }
    target.copyMemory(from: source, byteCount: bytes.count)
  }
}
