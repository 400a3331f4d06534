import Files
import Glibc

/// A lock on a Unix socket's path. Without it, libzmq lets a second process bind the same path, and
/// the first process then receives nothing.
///
/// The lock file is not removed, because another process may just have locked it.
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

  /// Removes the lock file, so that this process, which holds the lock, can take it again: the old
  /// lock is on a file without a name and blocks no process.
  static func giveUp(path: String) { unlink(lockPath(of: path)) }

  private static func lockPath(of path: String) -> String { path + ".lock" }
}
