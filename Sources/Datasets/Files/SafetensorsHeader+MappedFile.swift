import Files

extension SafetensorsHeader {
  /// The header of a mapped file; the tensors are the last `byteCount` bytes of the file.
  ///
  /// - Throws: ``DatasetError`` if the file is not a whole safetensors file.
  package init(of file: MappedFile) throws(DatasetError) {
    let bytes = file.bytes
    let problem = { (text: String) in
      DatasetError(
        .malformed, path: file.path,
        "is not a whole safetensors file: \(text); copy or export it again")
    }
    guard bytes.count >= 8 else { throw problem("it has \(bytes.count) bytes") }
    let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    guard let count = Int(exactly: length), count <= SafetensorsHeader.mostBytes,
      count <= bytes.count - 8
    else {
      throw problem(
        "its header has \(length) bytes, and at most \(SafetensorsHeader.mostBytes) can be read")
    }
    let header: SafetensorsHeader
    do {
      header = try SafetensorsHeader.parse(bytes[8..<8 + count])
    } catch {
      throw problem(error.problem)
    }
    guard bytes.count - 8 - count == header.byteCount else {
      throw problem(
        "its tensors have \(header.byteCount) bytes, but \(bytes.count - 8 - count) follow")
    }
    self = header
  }
}
