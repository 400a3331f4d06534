import Checkpoints
import Files
import Synchronization
import Transport

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A file that says where a process listens, for scripts that cannot know a port which the system
/// chose. It is there as long as the process listens; one that was killed leaves it.
public final class EndpointFile: Sendable {
  private let path: String
  private let isWritten = Mutex(false)

  /// - Throws: ``RuntimeError`` if the file could not be written later.
  public init(path: String) throws {
    self.path = FilePath.absolute(path)
    do {
      try PlainFile.check(path)
      close(try PlainFile.openFolder(FilePath.parent(of: self.path)))
    } catch {
      throw RuntimeError(
        exitCode: .cannotCreate,
        message: "Cannot write the address into '\(path)' (--endpoint-file): \(error.reason). Name "
          + "a file in a folder that is there.")
    }
  }

  /// Replaces the file in one step.
  ///
  /// - Throws: `CheckpointError` if it cannot be written.
  func write(_ endpoint: Endpoint) throws {
    try DurableFile.write(Array("\(endpoint)\n".utf8), to: path)
    isWritten.withLock { $0 = true }
  }

  /// Removes what was written; a file of a process that listens there instead stays.
  func remove() {
    if isWritten.withLock({ $0 }) { unlink(path) }
  }
}
