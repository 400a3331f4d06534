import Tensors

/// A file whose whole content was read: its state and digest at that time.
struct DigestedFile: Sendable {
  let path: String
  let stamp: FileStamp
  /// 32 hexadecimal digits.
  let digest: String

  init(_ file: MappedFile) {
    var digest = ByteDigest()
    digest.append(file.bytes)
    path = file.path
    stamp = file.stamp
    self.digest = digest.hexadecimal
  }

  /// - Throws: ``DatasetError`` if the file cannot be read.
  init(path: String) throws(DatasetError) { try self.init(MappedFile(path: path)) }

  /// Whether the file has the same content now. One that cannot be read may still be unchanged.
  var isUnchanged: Bool { (try? DigestedFile(path: path)).map { $0.digest == digest } ?? true }
}
