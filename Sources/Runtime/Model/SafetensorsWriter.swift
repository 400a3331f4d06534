import Foundation

/// Streams named `F32` tensors into a safetensors file: 8 bytes of header length, a JSON header
/// padded with spaces to a multiple of 8, then the tensors' little-endian values without gaps.
///
/// The file appears under its name only when it is complete. What is not finished is removed when
/// the writer goes away.
///
/// - Source: the format's description in huggingface/safetensors.
final class SafetensorsWriter {
  struct Tensor {
    let name: String
    let rows: Int
    let columns: Int
    var byteCount: Int { rows * columns * MemoryLayout<Float>.stride }
  }

  private let path: String
  private let temporaryPath: String
  private let handle: FileHandle
  private let totalByteCount: Int
  private var writtenByteCount = 0
  private var isFinished = false

  /// Writes the header. Values follow in the order of `tensors`.
  ///
  /// - Throws: ``RuntimeError`` when the file cannot be made.
  init(path: String, tensors: [Tensor], metadata: [String: String]) throws {
    self.path = path
    temporaryPath = path + ".partial"
    var offset = 0
    var entries: [String: Any] = ["__metadata__": metadata]
    for tensor in tensors {
      entries[tensor.name] = [
        "dtype": "F32", "shape": [tensor.rows, tensor.columns],
        "data_offsets": [offset, offset + tensor.byteCount],
      ]
      offset += tensor.byteCount
    }
    totalByteCount = offset
    var header = try JSONSerialization.data(
      withJSONObject: entries, options: [.sortedKeys, .withoutEscapingSlashes])
    while header.count % 8 != 0 { header.append(UInt8(ascii: " ")) }
    guard FileManager.default.createFile(atPath: temporaryPath, contents: nil),
      let handle = FileHandle(forWritingAtPath: temporaryPath)
    else {
      throw RuntimeError(
        exitCode: .cannotCreate,
        message: "Cannot write '\(temporaryPath)': check that the folder exists, is writable and "
          + "has space.")
    }
    self.handle = handle
    var length = UInt64(header.count).littleEndian
    try write(Data(bytes: &length, count: 8))
    try write(header)
  }

  deinit {
    if !isFinished { unlink(temporaryPath) }
  }

  /// Appends values, row-major.
  func append(_ values: UnsafeBufferPointer<Float>) throws {
    writtenByteCount += values.count * MemoryLayout<Float>.stride
    try write(Data(buffer: values))
  }

  /// Puts the complete file under its name.
  ///
  /// - Precondition: all values of all tensors were appended.
  func finish() throws {
    precondition(writtenByteCount == totalByteCount, "\(writtenByteCount) of \(totalByteCount)")
    do {
      try handle.synchronize()
      try handle.close()
      guard rename(temporaryPath, path) == 0 else {
        throw RuntimeError.system("write '\(path)'", errno: errno, exitCode: .inputOutput)
      }
      isFinished = true
    } catch let error as RuntimeError {
      throw error
    } catch {
      throw FileFailure.describe(error, "write '\(path)'", exitCode: .inputOutput)
    }
  }

  private func write(_ data: Data) throws {
    do {
      try handle.write(contentsOf: data)
    } catch {
      throw FileFailure.describe(error, "write '\(temporaryPath)'", exitCode: .inputOutput)
    }
  }
}
