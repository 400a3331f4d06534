internal import CZeroMQ

/// The error number of a failed libzmq or system call.
struct Errno: Error, Equatable {
  let number: CInt

  /// What libzmq calls it, such as `Address already in use`.
  var text: String { String(cString: zmq_strerror(number)) }
}

/// The result of a C call that says −1 and sets `errno` when it fails.
///
/// A call that a signal interrupted is repeated, unless the caller wants to look up then.
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
