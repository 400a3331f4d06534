internal import Files
import Tensors

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Writes a file piece by piece; it appears under its name only when it is complete and on disk.
/// What is not finished is removed when the writer goes away.
package final class DurableFileWriter {
  private let path: String
  private let temporaryPath: String
  private let file: FileDescriptor
  private var buffer: UnsafeMutableRawBufferPointer
  private var bufferedCount = 0
  private var byteCount = 0
  private var digest = ByteDigest()
  private var isFinished = false

  /// - Parameter suffix: what the name has until the file is complete.
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

  /// Puts the complete file under its name.
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
