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
package final class EndpointFile: Sendable {
  private let path: String
  /// What was written.
  private let content = Mutex<[UInt8]?>(nil)

  /// - Throws: ``RuntimeError`` if the file could not be written later, or is there and holds no
  ///   address: it would be replaced, and removed at the end.
  package init(path: String) throws {
    self.path = FilePath.absolute(path)
    guard Self.isReplaceable(self.path) else {
      throw RuntimeError(
        exitCode: .cannotCreate,
        message: "Cannot write the address into '\(path.sanitized(atMost: 4096))' (--endpoint-file): "
          + "what is there is no file with an address. Name one that is not there yet.")
    }
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

  /// Whether nothing is there, or what a process that listened has left.
  private static func isReplaceable(_ path: String) -> Bool {
    var status = stat()
    guard lstat(path, &status) == 0 else { return true }
    guard status.st_mode & S_IFMT == S_IFREG,
      let bytes = try? PlainFile.contents(of: path, atMost: 4096)
    else { return false }
    let text = String(decoding: bytes, as: UTF8.self)
    return text.hasSuffix("\n") && (try? Endpoint(String(text.dropLast()))) != nil
  }

  /// Replaces the file in one step.
  ///
  /// - Throws: `CheckpointError` if it cannot be written.
  func write(_ endpoint: Endpoint) throws {
    let bytes = Array("\(endpoint)\n".utf8)
    try DurableFile.write(bytes, to: path)
    content.withLock { $0 = bytes }
  }

  /// Removes what was written. The file of a process that has taken this one's place stays.
  func remove() {
    guard let own = content.withLock({ $0 }),
      let found = try? PlainFile.contents(of: path, atMost: own.count), found == own
    else { return }
    unlink(path)
  }
}
