import Tensors

/// Writes a `Float` matrix as npy (format 1.0, `<f4` or `<f2`, C order), row by row, so that only
/// the rows being appended need to be in memory. The file appears under its name when it is
/// finished.
public final class NPYWriter {
  private let file: AtomicFile
  private let rows: Int
  private let columns: Int
  /// Room for numbers of half precision, for one row; nil for full precision.
  private var halves: [UInt16]?
  private var writtenRows = 0

  /// Starts a file of `rows` × `columns` numbers.
  ///
  /// - Parameter isHalf: whether numbers are rounded to half precision.
  /// - Throws: ``DatasetError`` if the file cannot be created.
  /// - Precondition: `rows >= 0 && columns >= 0`.
  public static func begin(
    path: String, rows: Int, columns: Int, isHalf: Bool = false
  ) throws(DatasetError) -> NPYWriter {
    try NPYWriter(path: path, rows: rows, columns: columns, isHalf: isHalf)
  }

  private init(path: String, rows: Int, columns: Int, isHalf: Bool) throws(DatasetError) {
    precondition(rows >= 0 && columns >= 0, "npy matrix of \(rows) × \(columns)")
    self.rows = rows
    self.columns = columns
    if isHalf { halves = [UInt16](repeating: 0, count: columns) }
    file = try AtomicFile(path: path)
    try file.write(
      NPYHeader.text(descriptor: isHalf ? "<f2" : "<f4", shape: "(\(rows), \(columns))"))
  }

  /// Appends `count` rows, `[count, columns]` row-major.
  ///
  /// - Precondition: no more rows than announced.
  public func append(_ values: UnsafePointer<Float>, count: Int) throws(DatasetError) {
    precondition(
      count >= 0 && writtenRows + count <= rows, "\(writtenRows) + \(count) rows of \(rows)")
    writtenRows += count
    guard var halves else {
      return try file.write(UnsafeRawBufferPointer(start: values, count: count * columns * 4))
    }
    self.halves = nil
    for row in 0..<count {
      for column in 0..<columns {
        halves[column] = NPYElement.half(values[row * columns + column]).littleEndian
      }
      try halves.withUnsafeBufferPointer { numbers throws(DatasetError) in
        try file.write(UnsafeRawBufferPointer(numbers))
      }
    }
    self.halves = halves
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
