import Checkpoints
import Files
import Synchronization
import Transport

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A file with the address at which a process listens, for scripts: they cannot know a port that
/// the system chose. The process removes it at its end, unless it is killed.
package final class EndpointFile: Sendable {
  private let path: String
  /// What was written to the file.
  private let content = Mutex<[UInt8]?>(nil)

  /// - Throws: ``RuntimeError`` if the file could not be written later, or exists and holds no
  ///   address: the process would replace it, and remove it at its end.
  package init(path: String) throws {
    self.path = FilePath.absolute(path)
    guard Self.isReplaceable(self.path) else {
      throw RuntimeError(
        exitCode: .cannotCreate,
        message: "Cannot write the address to '\(path.sanitized(atMost: 4096))' "
          + "(--endpoint-file): it exists and is not a file with an address. Name a new file.")
    }
    do {
      try PlainFile.check(path)
      close(try PlainFile.openFolder(FilePath.parent(of: self.path)))
    } catch {
      throw RuntimeError(
        exitCode: .cannotCreate,
        message: "Cannot write the address to '\(path)' (--endpoint-file): \(error.reason). Name "
          + "a file in a folder that exists.")
    }
  }

  /// Whether the path is free, or holds the file of an earlier process.
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

  /// Removes what was written. The file of a replacement of this process stays.
  func remove() {
    guard let own = content.withLock({ $0 }),
      let found = try? PlainFile.contents(of: path, atMost: own.count), found == own
    else { return }
    unlink(path)
  }
}
