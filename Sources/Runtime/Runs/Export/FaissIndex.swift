import Datasets
import Tensors

/// A file that `faiss.read_index` opens: the exact index of inner products (`IndexFlatIP`).
///
/// - Source: Faiss's `index_write.cpp`, `write_index` of an `IndexFlat`: four characters, the
///   header of every index (dimension, count, two unused numbers, whether it is trained, the
///   metric), the number of 32-bit words, and the rows. 45 bytes stand in front of the rows.
package enum FaissIndex {
  /// The unused numbers, which Faiss writes as 1 << 20.
  private static let unused: Int64 = 1 << 20

  /// The header of an index of `rows` vectors.
  ///
  /// - Precondition: `columns` fits 31 bits.
  package static func header(rows: Int, columns: Int) -> [UInt8] {
    var bytes = Array("IxFI".utf8)
    func append(_ value: some FixedWidthInteger) {
      withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }
    append(Int32(columns))
    append(Int64(rows))
    append(unused)
    append(unused)
    append(UInt8(1))
    // METRIC_INNER_PRODUCT
    append(Int32(0))
    append(UInt64(rows * columns))
    return bytes
  }

  /// Writes the index of all rows; the id of a vector is its row.
  ///
  /// - Throws: `DatasetError` if the file cannot be written.
  static func write(_ vectors: Matrix, to path: String) throws {
    let file = try AtomicFile(path: path)
    try file.write(header(rows: vectors.rows, columns: vectors.columns))
    try withExtendedLifetime(vectors) {
      try file.write(UnsafeRawBufferPointer(vectors.elements))
    }
    try file.commit()
  }
}
