import Foundation

/// A file in memory that is overwritten repeatedly, so that parsers that take a path can process
/// tens of thousands of inputs a second.
public final class MemoryFile: @unchecked Sendable {  // one thread at a time writes
  public let path: String
  private let descriptor: Int32

  /// - Parameters:
  ///   - name: the name of the file, for parsers that depend on it.
  ///   - folder: the folder of the file; nil for a new one.
  public init(_ name: String, in folder: MemoryFolder? = nil) throws {
    self.folder = try folder ?? MemoryFolder()
    path = "\(self.folder.path)/\(name)"
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw FuzzFailure("cannot write \(path): \(String(cString: strerror(errno)))")
    }
  }

  private let folder: MemoryFolder

  deinit { close(descriptor) }

  /// Replaces the content of the file.
  public func write(_ bytes: [UInt8]) throws {
    guard ftruncate(descriptor, off_t(bytes.count)) == 0,
      pwrite(descriptor, bytes, bytes.count, 0) == bytes.count
    else { throw FuzzFailure("cannot write \(path): \(String(cString: strerror(errno)))") }
  }
}

/// A folder in memory (`/dev/shm`, or else that of temporary files), removed with its owner.
public final class MemoryFolder: Sendable {
  public let path: String

  /// - Parameter name: its last component.
  public init(name: String = "data") throws {
    let parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : NSTemporaryDirectory()
    path = "\(parent)/mrdib-fuzz-\(UUID().uuidString)/\(name)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: (path as NSString).deletingLastPathComponent)
  }
}
