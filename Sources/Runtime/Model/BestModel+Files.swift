import Checkpoints
import Datasets
import Models
import Tensors

extension BestModel {
  /// Reads every byte of a file and compares it with what was written.
  ///
  /// - Throws: ``RuntimeError`` when it is another; `CheckpointError` when it cannot be read.
  func check(_ file: File, run: String) throws {
    let path = "\(run)/\(folder)/\(file.name)"
    let found = try FileContent(of: path)
    guard found == FileContent(byteCount: file.byteCount, digest: file.digest) else {
      let problem =
        found.byteCount == file.byteCount
        ? "its bytes are not those that were written"
        : "it has \(found.byteCount) bytes, and \(file.byteCount) were written"
      throw RuntimeError(
        exitCode: .dataMalformed,
        message: "Cannot use '\(path)': \(problem); it is damaged. Restore it from a copy, or "
          + "train again.")
    }
  }

  /// A side's vectors, in a file that is what was written.
  private func file(_ side: Side, run: String) throws -> NPYFile {
    let name = Self.fileName(side)
    for file in files where file.name == name { try check(file, run: run) }
    return try NPYFile(path: "\(run)/\(folder)/\(name)")
  }

  /// The final vectors of a side.
  ///
  /// - Throws: errors with a sentence when their file is missing or not what was written.
  public func vectors(_ side: Side, run: String) throws -> Matrix {
    let file = try file(side, run: run)
    let matrix = Matrix(rows: file.rows, columns: file.columns)
    for row in 0..<file.rows { file.copyRow(row, to: matrix.pointer + row * file.columns) }
    return matrix
  }

  /// The final vectors of one row of a side, `[D]`; nil if there is no such row.
  ///
  /// - Throws: errors with a sentence when their file is missing or not what was written.
  public func vector(_ side: Side, row: Int, run: String) throws -> [Float]? {
    let file = try file(side, run: run)
    guard row >= 0, row < file.rows else { return nil }
    return [Float](unsafeUninitializedCapacity: file.columns) { buffer, count in
      if let base = buffer.baseAddress { file.copyRow(row, to: base) }
      count = file.columns
    }
  }
}
