import Tensors

/// A file whose whole content was read: its state and digest at that time.
struct DigestedFile: Sendable {
  let path: String
  let stamp: FileStamp
  /// 32 hexadecimal digits.
  let digest: String

  /// A multiple of the size of a page.
  private static let chunkByteCount = 64 << 20

  init(_ file: MappedFile) {
    var digest = ByteDigest()
    // Read once, and perhaps not again: a text of gigabytes need not stay resident.
    for start in stride(from: 0, to: file.bytes.count, by: Self.chunkByteCount) {
      let chunk = start..<min(start + Self.chunkByteCount, file.bytes.count)
      digest.append(UnsafeRawBufferPointer(rebasing: file.bytes[chunk]))
      file.forget(chunk)
    }
    path = file.path
    stamp = file.stamp
    self.digest = digest.hexadecimal
  }

  /// - Throws: ``DatasetError`` if the file cannot be read.
  init(path: String) throws(DatasetError) { try self.init(MappedFile(path: path)) }

  /// Whether the file has the same content now. One that cannot be read may still be unchanged.
  var isUnchanged: Bool { (try? DigestedFile(path: path)).map { $0.digest == digest } ?? true }
}
