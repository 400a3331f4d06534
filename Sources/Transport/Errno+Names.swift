internal import Glibc

/// The numbers that the transport acts on; all others end in a sentence.
extension Errno {
  static let interrupted = Errno(number: EINTR)
  static let wouldBlock = Errno(number: EAGAIN)
  static let unreachable = Errno(number: EHOSTUNREACH)
  static let closed = Errno(number: ENOTSOCK)
}
