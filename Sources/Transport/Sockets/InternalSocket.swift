internal import CZeroMQ

/// An in-process socket between libzmq and this process, for authentication requests and monitor
/// events.
final class InternalSocket {
  private(set) var pointer: UnsafeMutableRawPointer?
  private let context: ZeroMQContext
  private let scratch: UnsafeMutablePointer<zmq_msg_t>

  /// - Parameter type: such as `ZMQ_REP`.
  init(_ type: CInt, context: ZeroMQContext) throws(TransportError) {
    self.context = context
    scratch = .allocate(capacity: 1)
    pointer = try context.openSocket(type)
    for (option, value) in [
      (ZMQ_LINGER, 0),
      // With a limit, libzmq's I/O thread would block until the events are read.
      (ZMQ_RCVHWM, 0),
    ] {
      var value = CInt(value)
      try call("set up a socket") { zmq_setsockopt($0, option, &value, MemoryLayout<CInt>.size) }
    }
  }

  deinit {
    close()
    scratch.deallocate()
  }

  func close() {
    guard let open = pointer else { return }
    pointer = nil
    context.closeSocket(open)
  }

  func bind(_ address: String) throws(TransportError) {
    try call("bind to \(address)") { zmq_bind($0, address) }
  }

  func connect(_ address: String) throws(TransportError) {
    try call("connect to \(address)") { zmq_connect($0, address) }
  }

  /// The frames of the next message; nil when none waits.
  func receive() throws(TransportError) -> [[UInt8]]? {
    var frames: [[UInt8]] = []
    do {
      while true {
        zmq_msg_init(scratch)
        defer { zmq_msg_close(scratch) }
        try callWithErrno { zmq_msg_recv(scratch, $0, ZMQ_DONTWAIT) }
        frames.append(Array(scratch.bytes))
        guard zmq_msg_more(scratch) != 0 else { return frames }
      }
    } catch .wouldBlock {
      return nil
    } catch {
      throw TransportError(error, attempt: "receive from libzmq")
    }
  }

  func send(_ frames: [[UInt8]]) throws(TransportError) {
    for (index, frame) in frames.enumerated() {
      let flags = ZMQ_DONTWAIT | (index < frames.count - 1 ? ZMQ_SNDMORE : 0)
      try call("answer libzmq") { zmq_send($0, frame, frame.count, flags) }
    }
  }

  private func call(
    _ attempt: @autoclosure () -> String, _ body: (UnsafeMutableRawPointer) -> CInt
  ) throws(TransportError) {
    do {
      try callWithErrno(body)
    } catch {
      throw TransportError(error, attempt: attempt())
    }
  }

  private func callWithErrno(_ body: (UnsafeMutableRawPointer) -> CInt) throws(Errno) {
    guard let pointer else { throw .closed }
    _ = try valueOrErrno { body(pointer) }
  }
}
