import CZlib
import Datasets

/// The unpacked bytes of a gzip archive, also of several archives one after another.
final class GzipBytes: ByteSource {
  private let input: PackedInput
  /// zlib refers to the stream by its address.
  private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
  /// Whether an archive has begun and not ended.
  private var isInside = false
  private var isFinished = false

  init(_ file: FileBytes) throws(DatasetError) {
    input = PackedInput(file)
    stream.initialize(to: z_stream())
    // 15: the largest window; 16: the header of gzip.
    let code = inflateInit2_(
      stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard code == Z_OK else {
      throw DatasetError(
        .unreadable, path: file.path, "cannot be unpacked: there is too little memory for zlib")
    }
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(DatasetError) -> Int {
    let capacity = min(buffer.count, Int(UInt32.max))
    var produced = 0
    while produced == 0, !isFinished {
      guard try input.refill() else {
        guard !isInside else { throw cutOff }
        isFinished = true
        break
      }
      if !isInside, try !beginArchive() { continue }
      produced = try inflateSome(UnsafeMutableRawBufferPointer(rebasing: buffer[..<capacity]))
    }
    return produced
  }

  /// - Returns: false if only padding follows, which tapes and copying tools add.
  private func beginArchive() throws(DatasetError) -> Bool {
    if input.buffer[input.position] == 0, input.file.position > input.unusedCount {
      input.position += 1
      return false
    }
    guard input.buffer[input.position] == 0x1F else {
      throw DatasetError(
        .malformed, path: input.file.path,
        "has other bytes after the end of the gzip archive: it is damaged; copy or download it "
          + "again")
    }
    inflateReset(stream)
    isInside = true
    return true
  }

  private func inflateSome(_ output: UnsafeMutableRawBufferPointer) throws(DatasetError) -> Int {
    let unused = input.unusedCount
    stream.pointee.next_in = input.buffer.baseAddress?
      .advanced(by: input.position).assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_in = UInt32(unused)
    stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_out = UInt32(output.count)
    let code = inflate(stream, Z_NO_FLUSH)
    input.position += unused - Int(stream.pointee.avail_in)
    switch code {
    case Z_OK, Z_BUF_ERROR: break
    case Z_STREAM_END: isInside = false
    default:
      let reason = stream.pointee.msg.map { String(cString: $0) } ?? "error \(code)"
      throw DatasetError(
        .malformed, path: input.file.path,
        "is a damaged gzip archive (\(reason), near byte "
          + "\(input.file.position - input.unusedCount)); copy or download it again")
    }
    return output.count - Int(stream.pointee.avail_out)
  }

  private var cutOff: DatasetError {
    DatasetError(
      .malformed, path: input.file.path,
      "is a gzip archive that was cut off after \(input.file.position) bytes; copy or download it "
        + "again")
  }
}
