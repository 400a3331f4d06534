import Tensors

/// Writes a `Float` matrix as npy (format 1.0, `<f4`, C order), row by row, so that only the rows
/// being appended need to be in memory. The file appears under its name when it is finished.
public final class NPYWriter {
  private let file: AtomicFile
  private let rows: Int
  private let columns: Int
  private var writtenRows = 0

  /// Starts a file of `rows` × `columns` numbers.
  ///
  /// - Throws: ``DatasetError`` if the file cannot be created.
  /// - Precondition: `rows >= 0 && columns >= 0`.
  public static func begin(
    path: String, rows: Int, columns: Int
  ) throws(DatasetError) -> NPYWriter {
    try NPYWriter(path: path, rows: rows, columns: columns)
  }

  private init(path: String, rows: Int, columns: Int) throws(DatasetError) {
    precondition(rows >= 0 && columns >= 0, "npy matrix of \(rows) × \(columns)")
    self.rows = rows
    self.columns = columns
    file = try AtomicFile(path: path)
    try file.write(NPYHeader.text(descriptor: "<f4", shape: "(\(rows), \(columns))"))
  }

  /// Appends `count` rows, `[count, columns]` row-major.
  ///
  /// - Precondition: no more rows than announced.
  public func append(_ values: UnsafePointer<Float>, count: Int) throws(DatasetError) {
    precondition(
      count >= 0 && writtenRows + count <= rows, "\(writtenRows) + \(count) rows of \(rows)")
    try file.write(UnsafeRawBufferPointer(start: values, count: count * columns * 4))
    writtenRows += count
  }

  /// Gives the file its final name.
  ///
  /// - Precondition: as many rows as announced were appended.
  public func finish() throws(DatasetError) {
    precondition(writtenRows == rows, "finish after \(writtenRows) of \(rows) rows")
    try file.commit()
  }

  /// Writes a whole matrix.
  public static func write(_ matrix: Matrix, to path: String) throws(DatasetError) {
    let writer = try begin(path: path, rows: matrix.rows, columns: matrix.columns)
    try writer.append(matrix.pointer, count: matrix.rows)
    try writer.finish()
  }
}
