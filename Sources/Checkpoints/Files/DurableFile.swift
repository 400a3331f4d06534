import Files
import Tensors

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Replaces files so that after a crash at any time either the old or the new content is there.
package enum DurableFile {
  /// Writes a temporary file next to `path`, synchronises it, renames it to `path`, and
  /// synchronises the folder.
  ///
  /// - Throws: ``CheckpointError``; the old file is then unchanged.
  package static func write(_ bytes: [UInt8], to path: String) throws(CheckpointError) {
    let writer = try DurableFileWriter(path: path, suffix: ".tmp-\(getpid())")
    try bytes.withUnsafeBufferPointer { (bytes) throws(CheckpointError) in
      try writer.append(UnsafeRawBufferPointer(bytes))
    }
    try writer.finish()
  }

  /// Makes creations, renames and deletions in a folder durable.
  package static func synchronizeFolder(_ path: String) throws(CheckpointError) {
    let folder = path.isEmpty ? "." : path
    let file = try FileDescriptor(
      folder, .synchronizeFolder, purpose: "synchronise '\(folder)'")
    try file.synchronize(purpose: "synchronise '\(folder)'")
  }

  /// Creates a folder durably, if it does not exist.
  ///
  /// - Parameter makesParents: whether missing parent folders are created too.
  package static func makeFolder(
    _ path: String, makesParents: Bool = true
  ) throws(CheckpointError) {
    if mkdir(path, 0o777) == 0 {
      return try synchronizeFolder(FilePath.parent(of: path))
    }
    var status = stat()
    switch errno {
    case EEXIST where stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR: return
    case ENOENT
    where makesParents && !FilePath.parent(of: path).isEmpty && FilePath.parent(of: path) != "/":
      try makeFolder(FilePath.parent(of: path))
      guard mkdir(path, 0o777) == 0 || errno == EEXIST else {
        throw .system("make the folder '\(path)'", errno: errno, .cannotCreate)
      }
      try synchronizeFolder(FilePath.parent(of: path))
    case let code: throw .system("make the folder '\(path)'", errno: code, .cannotCreate)
    }
  }
}

/// Writes a file in pieces. It gets its name only when it is complete and on disk; an unfinished
/// file is removed with the writer.
package final class DurableFileWriter {
  private let path: String
  private let temporaryPath: String
  private let file: FileDescriptor
  private var buffer: UnsafeMutableRawBufferPointer
  private var bufferedCount = 0
  private var byteCount = 0
  private var digest = ByteDigest()
  private var isFinished = false

  /// - Parameter suffix: the suffix of the name until the file is complete.
  package init(path: String, suffix: String = ".partial") throws(CheckpointError) {
    self.path = path
    temporaryPath = path + suffix
    file = try FileDescriptor(temporaryPath, .replace, purpose: "write '\(path)'")
    buffer = .allocate(byteCount: FileContent.chunkByteCount, alignment: 64)
  }

  deinit {
    buffer.deallocate()
    if !isFinished { unlink(temporaryPath) }
  }

  package func append(_ bytes: UnsafeRawBufferPointer) throws(CheckpointError) {
    var done = 0
    while done < bytes.count {
      let count = min(bytes.count - done, buffer.count - bufferedCount)
      UnsafeMutableRawBufferPointer(rebasing: buffer[bufferedCount..<bufferedCount + count])
        .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[done..<done + count]))
      done += count
      bufferedCount += count
      if bufferedCount == buffer.count { try flush() }
    }
  }

  private func flush() throws(CheckpointError) {
    let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<bufferedCount])
    digest.append(bytes)
    byteCount += bufferedCount
    bufferedCount = 0
    try file.writeAll(bytes, purpose: "write '\(path)'")
  }

  /// Synchronises the complete file and gives it its name.
  @discardableResult
  package func finish() throws(CheckpointError) -> FileContent {
    try flush()
    try file.synchronize(purpose: "write '\(path)'")
    guard rename(temporaryPath, path) == 0 else { throw .system("write '\(path)'", errno: errno) }
    isFinished = true
    try DurableFile.synchronizeFolder(FilePath.parent(of: path))
    return FileContent(byteCount: byteCount, digest: digest.text)
  }
}
