import Files
import Foundation

/// Streams named tensors into a safetensors file. The file gets its name only when it is complete
/// and on disk; an unfinished file is removed with the writer.
package final class SafetensorsWriter {
  private let writer: any FileWriter
  private let totalByteCount: Int
  private var appendedByteCount = 0

  /// Writes the header of a file at `path`. Values must be appended in the order of `tensors`.
  ///
  /// - Parameter suffix: the suffix of the name until the file is complete.
  /// - Throws: ``CheckpointError`` when the file cannot be created, or two tensors have the same
  ///   name.
  package convenience init(
    path: String, tensors: [SafetensorsHeader.Tensor], metadata: [String: String],
    suffix: String = ".partial"
  ) throws(CheckpointError) {
    try self.init(path: path, tensors: tensors, metadata: metadata) {
      (_) throws(CheckpointError) in try DurableFileWriter(path: path, suffix: suffix)
    }
  }

  /// Writes the header of a file anywhere.
  ///
  /// - Parameters:
  ///   - path: for messages.
  ///   - begin: begins the file, of so many bytes.
  init(
    path: String, tensors: [SafetensorsHeader.Tensor], metadata: [String: String],
    begin: (_ byteCount: Int) throws(CheckpointError) -> any FileWriter
  ) throws(CheckpointError) {
    let header: SafetensorsHeader
    do {
      header = try SafetensorsHeader(tensors, metadata: metadata)
    } catch {
      throw CheckpointError(
        .cannotCreate, "Cannot write '\(path)': \(error.problem); rename one of the tables.")
    }
    totalByteCount = header.byteCount
    let text = try Self.encode(header, path: path)
    guard text.count <= SafetensorsHeader.mostBytes else {
      throw CheckpointError(
        .cannotCreate,
        "Cannot write '\(path)': its header would have \(text.count) bytes, and the limit is "
          + "\(SafetensorsHeader.mostBytes); use fewer tables or shards.")
    }
    writer = try begin(8 + text.count + totalByteCount)
    var length = UInt64(text.count).littleEndian
    try withUnsafeBytes(of: &length) { (bytes) throws(CheckpointError) in
      try writer.append(bytes)
    }
    try text.withUnsafeBufferPointer { (bytes) throws(CheckpointError) in
      try writer.append(UnsafeRawBufferPointer(bytes))
    }
  }

  /// Bytes of a file with these tensors, before any is written.
  ///
  /// - Throws: ``CheckpointError`` if two tensors have the same name.
  static func byteCount(
    _ tensors: [SafetensorsHeader.Tensor], metadata: [String: String]
  ) throws(CheckpointError) -> Int {
    do {
      let header = try SafetensorsHeader(tensors, metadata: metadata)
      return 8 + (try encode(header, path: "a file")).count + header.byteCount
    } catch let error as CheckpointError {
      throw error
    } catch {
      throw CheckpointError(.cannotCreate, "Cannot write a file with these tables: \(error).")
    }
  }

  /// The text of the header, with spaces up to a multiple of 8 bytes.
  private static func encode(
    _ header: SafetensorsHeader, path: String
  ) throws(CheckpointError) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do {
      var text = Array(try encoder.encode(header))
      while text.count % 8 != 0 { text.append(UInt8(ascii: " ")) }
      return text
    } catch {
      throw CheckpointError(.cannotCreate, "Cannot write the header of '\(path)': \(error).")
    }
  }

  /// Appends values, row-major.
  package func append<Number: BitwiseCopyable>(
    _ values: UnsafeBufferPointer<Number>
  ) throws(CheckpointError) {
    try append(UnsafeRawBufferPointer(values))
  }

  /// Appends the bytes of values, row-major.
  func append(_ bytes: UnsafeRawBufferPointer) throws(CheckpointError) {
    appendedByteCount += bytes.count
    try writer.append(bytes)
  }

  /// Synchronises the complete file and gives it its name.
  ///
  /// - Precondition: all values of all tensors were appended.
  @discardableResult
  package func finish() throws(CheckpointError) -> FileContent {
    precondition(appendedByteCount == totalByteCount, "\(appendedByteCount) of \(totalByteCount)")
    return try writer.finish()
  }
}
