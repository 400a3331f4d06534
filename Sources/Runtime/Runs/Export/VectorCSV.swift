import Datasets
import Foundation
import Tensors

/// Vectors as text: a line per row with its number, its original id and the vector as a list,
/// which `COPY` of PostgreSQL with pgvector and the bulk import of Milvus read.
///
///     row,id,vector
///     0,B00X,"[0.25,-1.5,3e-05]"
///
/// Numbers have as many digits as they need to be read back to the bit.
enum VectorCSV {
  private static let flushByteCount = 1 << 20

  /// - Parameters:
  ///   - rows: which rows, ascending; nil for all.
  ///   - id: the original id of a row.
  /// - Throws: `DatasetError` if the file cannot be written.
  static func write(
    _ vectors: Matrix, rows: [Int]? = nil, id: (Int) -> String, to path: String
  ) throws {
    let file = try AtomicFile(path: path)
    var buffer = Array("row,id,vector\n".utf8)
    for row in rows ?? Array(0..<vectors.rows) {
      buffer += "\(row),\(field(id(row))),\"[".utf8
      var isFirst = true
      for value in vectors.row(row) {
        if !isFirst { buffer.append(UInt8(ascii: ",")) }
        isFirst = false
        buffer += value.description.utf8
      }
      buffer += "]\"\n".utf8
      if buffer.count >= flushByteCount {
        try file.write(buffer)
        buffer.removeAll(keepingCapacity: true)
      }
    }
    try file.write(buffer)
    try file.commit()
  }

  /// A field as RFC 4180 writes it.
  static func field(_ text: String) -> String {
    guard text.contains(where: { ",\"\r\n".contains($0) }) else { return text }
    return "\"\(text.replacing("\"", with: "\"\""))\""
  }
}
