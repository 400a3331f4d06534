import Foundation

/// A file in memory that is overwritten again and again: parsers that take a path get tens of
/// thousands of inputs a second.
public final class MemoryFile: @unchecked Sendable {  // one thread at a time writes
  public let path: String
  private let descriptor: Int32

  /// - Parameters:
  ///   - name: of the file, where a parser goes by it.
  ///   - folder: where it is to lie; nil for a folder of its own.
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

  /// Makes the file hold these bytes and no others.
  public func write(_ bytes: [UInt8]) throws {
    guard ftruncate(descriptor, off_t(bytes.count)) == 0,
      pwrite(descriptor, bytes, bytes.count, 0) == bytes.count
    else { throw FuzzFailure("cannot write \(path): \(String(cString: strerror(errno)))") }
  }
}

/// A folder in memory (`/dev/shm`, or else wherever temporary files go), removed with its owner.
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
