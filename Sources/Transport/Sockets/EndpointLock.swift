internal import Files
internal import Glibc

/// Holds the right to bind to a Unix socket's path: libzmq lets a second process take a path over,
/// and the first then hears nothing any more.
///
/// The lock file stays, because removing it could remove the one that another process just locked.
final class EndpointLock {
  private let descriptor: CInt

  init(path: String) throws(TransportError) {
    let lockPath = Self.lockPath(of: path)
    let attempt = "lock \(lockPath) for the endpoint ipc://\(path)"
    do {
      descriptor = try PlainFile.open(lockPath, .update, permissions: 0o600)
    } catch .system(let number) {
      throw TransportError(Errno(number: number), attempt: attempt)
    } catch {
      throw TransportError(
        .failed, "Cannot \(attempt): \(error.reason); choose another path.")
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      throw TransportError(
        .addressInUse,
        "Cannot \(attempt): another process listens there; stop it, or choose another path.")
    }
  }

  deinit { close(descriptor) }

  /// Lets this process, which has the lock, take it once more: a lock on a file that has no name
  /// any more is in nobody's way.
  static func giveUp(path: String) { unlink(lockPath(of: path)) }

  private static func lockPath(of path: String) -> String { path + ".lock" }
}
