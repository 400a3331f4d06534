internal import CZeroMQ
internal import Messages

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

  /// libzmq decides at the first frame whether a message fits. A later one can fail all the same,
  /// when a dealer's connection breaks in between: it then forgets the first frames and swallows
  /// the others, which therefore must all be handed over before the message is sent again.
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
