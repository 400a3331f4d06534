import Foundation
import TestSupport

/// A disk that takes its time to write a run's `best.json`: what the file is written through is a
/// pipe that nobody reads yet.
final class StalledDisk {
  private let path: String

  init(run: String) throws {
    // The name that the file has until it is complete.
    path = "\(run)/best.json.tmp-\(getpid())"
    guard mkfifo(path, 0o600) == 0 else {
      throw FuzzFailure("cannot make \(path): \(String(cString: strerror(errno)))")
    }
  }

  deinit { goOn() }

  /// Whoever waits goes on, and is told then that a pipe cannot be synchronised.
  func goOn() {
    let descriptor = open(path, O_RDONLY | O_NONBLOCK)
    guard descriptor >= 0 else { return }
    // Until it is removed by who writes.
    let deadline = Date().addingTimeInterval(60)
    while access(path, F_OK) == 0, Date() < deadline { Thread.sleep(forTimeInterval: 0.01) }
    close(descriptor)
    unlink(path)
  }
}
