internal import Foundation
import Tensors

/// A sparse matrix in a file.
///
/// Little-endian, in this order: 8 bytes `mrdibCSR`; the format's version as `UInt32` and 4 zero
/// bytes; the `ContentDigest` of what the graph was made from, 32 hexadecimal digits; rows, columns
/// and entries as `Int64`; where each row begins, `rows + 1` `Int64`; the columns as `Int32`; the
/// values as `Float`; the XXH3-128 of everything before, 32 hexadecimal digits.
package struct GraphFile {
  private static let magic = Array("mrdibCSR".utf8)
  /// Version 1 had digests of another algorithm.
  private static let version: UInt32 = 2
  private static let headerByteCount = CachedFile.sourceRange.upperBound + 3 * 8

  package let path: String
  /// A digest of what the graph is made from, 32 hexadecimal digits.
  private let inputs: String

  package init(path: String, inputs: String) {
    precondition(inputs.utf8.count == ByteDigest.digitCount, "digest '\(inputs)'")
    self.path = path
    self.inputs = inputs
  }

  /// - Returns: nil if there is no file.
  /// - Throws: ``CachedFileError`` if the file cannot be read, is damaged, or was made from other
  ///   data or by another version.
  package func read(rows: Int, columns: Int) throws(CachedFileError) -> SparseMatrix? {
    guard
      let cached = try CachedFile(
        path: path, magic: Self.magic, kind: "a graph file", version: Self.version,
        source: inputs, headerByteCount: Self.headerByteCount)
    else { return nil }
    let (bytes, content) = (cached.file.bytes, cached.content)
    let shape = (0..<3).map { Self.integer(bytes, at: CachedFile.sourceRange.upperBound + $0 * 8) }
    let entryByteCount = content.count - Self.headerByteCount - (rows + 1) * 8
    guard
      shape[0] == rows && shape[1] == columns && entryByteCount >= 0
        && shape[2] == entryByteCount / 8 && entryByteCount.isMultiple(of: 8)
    else {
      throw CachedFileError(
        message: "has \(shape[0]) × \(shape[1]) places with \(shape[2]) entries in "
          + "\(bytes.count) bytes, which is not a graph of \(rows) × \(columns)")
    }
    let matrix = try Self.matrix(content, rows: rows, columns: columns, count: entryByteCount / 8)
    try cached.checkIsUnchanged()
    return matrix
  }

  /// Writes the matrix; the file appears under its name when it is complete.
  package func write(_ matrix: SparseMatrix) throws(CachedFileError) {
    var bytes = Self.magic
    bytes.reserveCapacity(
      Self.headerByteCount + matrix.offsets.count * 8 + matrix.entryCount * 8
        + ByteDigest.digitCount)
    Self.append([Self.version.littleEndian, 0], to: &bytes)
    bytes += inputs.utf8
    let shape = [matrix.rows, matrix.columns, matrix.entryCount]
    Self.append(shape.map { Int64($0).littleEndian }, to: &bytes)
    Self.append(matrix.offsets.map(\.littleEndian), to: &bytes)
    Self.append(matrix.indices.map(\.littleEndian), to: &bytes)
    Self.append(matrix.values.map(\.bitPattern.littleEndian), to: &bytes)
    let digest = bytes.withUnsafeBytes { CachedFile.checksum(of: $0) }
    bytes += digest.utf8
    do {
      try FileManager.default.createDirectory(
        atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
      try AtomicFile.write(bytes, to: path)
    } catch let error as DatasetError {
      throw CachedFileError(message: error.message)
    } catch {
      throw CachedFileError(message: "its folder cannot be created: \(error.localizedDescription)")
    }
  }

  /// Decodes content whose checksum is right. Offsets and columns are checked nevertheless, because
  /// products with the matrix use them as indices without bounds checks.
  private static func matrix(
    _ content: UnsafeRawBufferPointer, rows: Int, columns: Int, count: Int
  ) throws(CachedFileError) -> SparseMatrix {
    let offsets = (0...rows).map { Self.integer(content, at: headerByteCount + $0 * 8) }
    let firstIndex = headerByteCount + (rows + 1) * 8
    let indices = (0..<count).map { entry in
      Int32(
        littleEndian: content.loadUnaligned(
          fromByteOffset: firstIndex + entry * 4, as: Int32.self))
    }
    let values = (0..<count).map { entry in
      Float(
        bitPattern: UInt32(
          littleEndian: content.loadUnaligned(
            fromByteOffset: firstIndex + (count + entry) * 4, as: UInt32.self)))
    }
    let isAscending = zip(offsets, offsets.dropFirst()).allSatisfy { $0 <= $1 }
    guard offsets[0] == 0 && offsets[rows] == count && isAscending else {
      throw CachedFileError(message: "has row offsets that do not ascend")
    }
    for row in 0..<rows {
      var last: Int32 = -1
      for column in indices[Int(offsets[row])..<Int(offsets[row + 1])] {
        guard column > last && column < columns else {
          throw CachedFileError(message: "has column \(column) out of place in row \(row)")
        }
        last = column
      }
    }
    guard values.allSatisfy(\.isFinite) else {
      throw CachedFileError(message: "has values that are not finite")
    }
    return SparseMatrix(
      rows: rows, columns: columns, offsets: offsets, indices: indices, values: values)
  }

  private static func integer(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Int64 {
    Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int64.self))
  }

  private static func append<Number: BitwiseCopyable>(_ numbers: [Number], to bytes: inout [UInt8])
  {
    numbers.withUnsafeBytes { bytes += $0 }
  }
}
