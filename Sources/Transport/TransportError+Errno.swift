internal import CZeroMQ
internal import Glibc

extension TransportError {
  /// The sentence for an error number that `attempt` ended with.
  ///
  /// - Parameter attempt: what was attempted and on what, such as `bind to tcp://10.0.0.7:4000`.
  init(_ errno: Errno, attempt: String) {
    let (code, found, advice) = Self.explanation(of: errno)
    self.init(code, "Cannot \(attempt): \(found); \(advice).")
  }

  private static func explanation(
    of errno: Errno
  ) -> (code: Code, found: String, advice: String) {
    switch errno.number {
    case EADDRINUSE:
      (
        .addressInUse, "the address is in use",
        "stop the process that has it, or choose another"
          + " port ('*' takes a free one)"
      )
    case EADDRNOTAVAIL, ENODEV:
      (
        .addressNotAvailable, "no network interface of this machine has that address",
        "bind to one that it has, or to 0.0.0.0 for all"
      )
    case EACCES, EPERM:
      (
        .permissionDenied, "permission was denied",
        "choose a port above 1023 or a directory that this user may write"
      )
    case EINVAL, EPROTONOSUPPORT, ENOCOMPATPROTO:
      (
        .invalidEndpoint, "it is not an endpoint that this socket understands",
        "write it as tcp://HOST:PORT or ipc://PATH"
      )
    case ENAMETOOLONG:
      (.invalidEndpoint, "the path is too long", "choose one of at most 107 bytes")
    case ENOENT, ENOTDIR:
      (.invalidEndpoint, "the directory does not exist", "create it first")
    case EHOSTUNREACH:
      (.peerGone, "the peer is not connected", "it has left or was never there")
    case EAGAIN:
      (.overloaded, "the peer takes no more messages for now", "try again later")
    case EMSGSIZE:
      (.messageTooLarge, "the message is too large", "split it")
    case ETERM, ENOTSOCK, ECANCELED:
      (.closed, "the socket or its context has been closed", "open a new one")
    case EMFILE, ENFILE:
      (.resourceLimit, errno.text, "raise the limit of open files (ulimit -n)")
    case ENOMEM, ENOBUFS:
      (.resourceLimit, errno.text, "free memory, or start fewer processes on this machine")
    case EMTHREAD:
      (.resourceLimit, errno.text, "raise the limit of processes and threads (ulimit -u)")
    default:
      (.failed, errno.text, "see what the operating system says about error \(errno.number)")
    }
  }
}
