internal import CZeroMQ
internal import Messages
internal import Synchronization

/// Bytes that wait to be sent; libzmq's threads let go of some of them.
final class ByteCount: Sendable {
  private let count = Atomic<Int>(0)
  /// That of which this is a part.
  private let whole: ByteCount?

  init(partOf whole: ByteCount? = nil) { self.whole = whole }

  var value: Int { count.load(ordering: .relaxed) }

  func add(_ bytes: Int) {
    count.add(bytes, ordering: .relaxed)
    whole?.add(bytes)
  }

  func subtract(_ bytes: Int) {
    count.subtract(bytes, ordering: .relaxed)
    whole?.subtract(bytes)
  }
}

/// Keeps a payload alive while libzmq sends it. Released by libzmq, mostly on an I/O thread.
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

  /// Makes the message one of `byteCount` bytes, to be filled by ``write(_:)``.
  func initialize(byteCount: Int) throws(Errno) {
    _ = try valueOrErrno { zmq_msg_init_size(self, byteCount) }
  }

  func write(_ bytes: UnsafeRawBufferPointer) {
    guard let source = bytes.baseAddress, let target = zmq_msg_data(self) else { return }
    target.copyMemory(from: source, byteCount: bytes.count)
  }
}
