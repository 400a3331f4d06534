import Files
import Protocol
import Tensors

/// A file that comes in pieces from another machine's disk. It gets its name only when it is whole,
/// has its digest and is on the disk. Not thread-safe.
package final class IncomingCopy {
  package let file: CopiedFile
  private let store: CheckpointStore
  private let writer: any FileWriter
  private var digest = ByteDigest()
  /// How many bytes have come.
  package private(set) var byteCount = 0
  /// Whether the file is on the disk.
  package private(set) var isComplete = false

  /// Begins a file.
  ///
  /// - Throws: ``CheckpointError`` if it cannot be created.
  package init(_ file: CopiedFile, in store: CheckpointStore) throws(CheckpointError) {
    self.file = file
    self.store = store
    writer = try store.storage.writer(of: file.path, in: file.name, byteCount: file.byteCount)
  }

  /// Adds a piece. One that has come before, because its answer was lost, is ignored.
  ///
  /// - Throws: ``CheckpointError``: `mismatch` if pieces in between are missing, `damaged` if the
  ///   whole file does not have its digest. The file has to be begun again then.
  package func add(_ bytes: Payload, at offset: Int) throws(CheckpointError) {
    if offset < byteCount, offset + bytes.byteCount <= byteCount { return }
    let path = store.storage.path(of: file.path)
    guard offset == byteCount, bytes.byteCount > 0, !isComplete else {
      throw CheckpointError(
        .mismatch,
        "Cannot write '\(path)': \(bytes.byteCount) bytes at \(offset) do not follow the first "
          + "\(byteCount); the file is to be sent again.")
    }
    try bytes.withUnsafeBytes { (bytes) throws(CheckpointError) in
      digest.append(bytes)
      try writer.append(bytes)
    }
    byteCount += bytes.byteCount
    guard byteCount == file.byteCount else { return }
    guard digest.text == file.digest else {
      throw CheckpointError(
        .damaged,
        "Cannot write '\(path)': what came has the digest \(digest.text), and "
          + "\(file.digest.sanitized()) was announced; it was damaged on its sender's disk or on "
          + "the way.")
    }
    try writer.finish()
    isComplete = true
  }
}
