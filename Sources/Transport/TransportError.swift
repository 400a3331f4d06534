internal import CZeroMQ
import Glibc

/// An error of sockets, addresses or keys.
package struct TransportError: Error, Sendable, Equatable, CustomStringConvertible {
  package enum Code: Sendable {
    case addressInUse
    case addressNotAvailable
    case permissionDenied
    case invalidEndpoint
    case hostUnknown
    /// The peer has left; the message was not sent.
    case peerGone
    /// The peer, or this process, accepts no more for now; try again later.
    case overloaded
    case messageTooLarge
    /// The address would be open to unauthenticated peers.
    case insecure
    /// The text is not a key.
    case invalidKey
    /// The installed libzmq lacks a feature.
    case unsupported
    /// The connection, loop or context has been closed.
    case closed
    /// A limit of the operating system or of libzmq was reached.
    case resourceLimit
    /// Any other error of libzmq or the operating system.
    case failed
  }

  package let code: Code
  /// One sentence: what was attempted, on what, what was found, what to do.
  package let message: String

  init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  package var description: String { message }
}

extension TransportError {
  /// The error with which `attempt` failed.
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
        "stop the process that uses it, or choose another port ('*' chooses a free one)"
      )
    case EADDRNOTAVAIL, ENODEV:
      (
        .addressNotAvailable, "no network interface of this machine has that address",
        "use an address of this machine, or 0.0.0.0 for all interfaces"
      )
    case EACCES, EPERM:
      (
        .permissionDenied, "permission was denied",
        "choose a port above 1023 or a directory that this user may write to"
      )
    case EINVAL, EPROTONOSUPPORT, ENOCOMPATPROTO:
      (
        .invalidEndpoint, "it is not a valid endpoint",
        "write it as tcp://HOST:PORT or ipc://PATH"
      )
    case ENAMETOOLONG:
      (.invalidEndpoint, "the path is too long", "choose one of at most 107 bytes")
    case ENOENT, ENOTDIR:
      (.invalidEndpoint, "the directory does not exist", "create it first")
    case EHOSTUNREACH:
      (.peerGone, "the peer is not connected", "it has left or was never there")
    case EAGAIN:
      (.overloaded, "the peer accepts no more messages for now", "try again later")
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
      (.failed, errno.text, "look up error \(errno.number) of the operating system")
    }
  }
}
