internal import CZeroMQ
internal import Glibc

/// A file descriptor that becomes readable when any thread asks for it.
final class WakeSignal: Sendable {
  let descriptor: CInt

  init() throws(TransportError) {
    do {
      descriptor = try valueOrErrno { eventfd(0, CInt(O_NONBLOCK | O_CLOEXEC)) }
    } catch {
      throw TransportError(error, attempt: "make an event descriptor")
    }
  }

  deinit { close(descriptor) }

  /// Makes the descriptor readable. It adds up, so it fails only when it is readable anyway.
  func raise() {
    _ = try? valueOrErrno { eventfd_write(descriptor, 1) }
  }

  /// Makes it unreadable again, however often it was raised.
  func clear() {
    var count: eventfd_t = 0
    _ = try? valueOrErrno { eventfd_read(descriptor, &count) }
  }
}
