internal import CZeroMQ
import Glibc

/// The error number of a failed libzmq or system call.
struct Errno: Error, Equatable {
  let number: CInt

  /// libzmq's text for it, such as `Address already in use`.
  var text: String { String(cString: zmq_strerror(number)) }
}

/// The result of a C call that returns −1 and sets `errno` when it fails.
///
/// - Parameter retryOnInterrupt: whether a call that a signal interrupted is repeated.
func valueOrErrno(
  retryOnInterrupt: Bool = true, _ call: () -> CInt
) throws(Errno) -> CInt {
  while true {
    let value = call()
    if value != -1 { return value }
    let number = zmq_errno()
    guard retryOnInterrupt, number == Errno.interrupted.number else {
      throw Errno(number: number)
    }
  }
}

/// The numbers that the transport handles itself; all others become a ``TransportError``.
extension Errno {
  static let interrupted = Errno(number: EINTR)
  static let wouldBlock = Errno(number: EAGAIN)
  static let unreachable = Errno(number: EHOSTUNREACH)
  static let closed = Errno(number: ENOTSOCK)
}
