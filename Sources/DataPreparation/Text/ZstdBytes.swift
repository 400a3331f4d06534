import CZstd
import Datasets

/// The unpacked bytes of a zstd archive, also of several frames one after another.
final class ZstdBytes: ByteSource {
  private let input: PackedInput
  private let stream: OpaquePointer
  /// Whether a frame has begun and not ended.
  private var isInside = true

  init(_ file: FileBytes) throws(DatasetError) {
    guard let stream = ZSTD_createDStream() else {
      throw DatasetError(
        .unreadable, path: file.path, "cannot be unpacked: there is too little memory for zstd")
    }
    self.stream = stream
    input = PackedInput(file)
  }

  deinit { ZSTD_freeDStream(stream) }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(DatasetError) -> Int {
    var output = ZSTD_outBuffer(dst: buffer.baseAddress, size: buffer.count, pos: 0)
    while output.pos == 0 {
      // The library may still hold unpacked bytes when all packed ones are used.
      let hasInput = try input.refill()
      var packed = ZSTD_inBuffer(
        src: input.buffer.baseAddress, size: input.count, pos: input.position)
      let used = packed.pos
      let code = ZSTD_decompressStream(stream, &output, &packed)
      input.position = packed.pos
      guard ZSTD_isError(code) == 0 else {
        throw DatasetError(
          .malformed, path: input.file.path,
          "is a damaged zstd archive (\(String(cString: ZSTD_getErrorName(code))), near byte "
            + "\(input.file.position - input.unusedCount)); copy or download it again")
      }
      if packed.pos > used || output.pos > 0 { isInside = code != 0 }
      if !hasInput, output.pos == 0 {
        guard !isInside else { throw cutOff }
        return 0
      }
    }
    return output.pos
  }

  private var cutOff: DatasetError {
    DatasetError(
      .malformed, path: input.file.path,
      "is a zstd archive that was cut off after \(input.file.position) bytes; copy or download it "
        + "again")
  }
}
