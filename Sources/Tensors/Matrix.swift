/// A row-major `Float` matrix over one 64-byte aligned buffer, `[rows, columns]`.
///
/// A matrix is a *reference* to its buffer: operations write into matrices that their caller
/// owns, so that a training step can reuse the same buffers and allocate nothing.
///
/// `Sendable` is unchecked because a matrix has one owner at a time: it changes threads only by
/// being handed over through a mailbox, which orders the accesses.
public final class Matrix: @unchecked Sendable {
  public let rows: Int
  public let columns: Int
  public let pointer: UnsafeMutablePointer<Float>

  /// Number of elements, `rows * columns`.
  public var count: Int { rows * columns }

  /// A matrix of zeros.
  ///
  /// - Precondition: `rows >= 0 && columns >= 0`.
  public init(rows: Int, columns: Int) {
    precondition(rows >= 0 && columns >= 0, "Matrix(\(rows), \(columns)): negative extent")
    self.rows = rows
    self.columns = columns
    let byteCount = max(1, rows * columns) * MemoryLayout<Float>.stride
    let raw = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64)
    pointer = raw.bindMemory(to: Float.self, capacity: max(1, rows * columns))
    pointer.initialize(repeating: 0, count: max(1, rows * columns))
  }

  /// A matrix with the given row-major elements.
  ///
  /// - Precondition: `elements.count == rows * columns`.
  public convenience init(rows: Int, columns: Int, elements: [Float]) {
    precondition(
      elements.count == rows * columns,
      "Matrix(\(rows), \(columns)): \(elements.count) elements given")
    self.init(rows: rows, columns: columns)
    elements.withUnsafeBufferPointer { source in
      if let base = source.baseAddress { pointer.update(from: base, count: source.count) }
    }
  }

  deinit { pointer.deallocate() }

  public subscript(row: Int, column: Int) -> Float {
    get {
      precondition(row >= 0 && row < rows && column >= 0 && column < columns)
      return pointer[row * columns + column]
    }
    set {
      precondition(row >= 0 && row < rows && column >= 0 && column < columns)
      pointer[row * columns + column] = newValue
    }
  }

  /// The elements of one row, `[columns]`.
  public func row(_ index: Int) -> UnsafeMutableBufferPointer<Float> {
    precondition(index >= 0 && index < rows, "row \(index) of a matrix with \(rows) rows")
    return UnsafeMutableBufferPointer(start: pointer + index * columns, count: columns)
  }

  /// All elements in row-major order, `[rows * columns]`.
  public var elements: UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(start: pointer, count: count)
  }

  public func fill(_ value: Float) { pointer.update(repeating: value, count: count) }

  /// Copies the elements of a matrix of the same shape.
  public func copy(from other: Matrix) {
    precondition(hasSameShape(as: other), "copy: \(shape) from \(other.shape)")
    pointer.update(from: other.pointer, count: count)
  }

  public func hasSameShape(as other: Matrix) -> Bool {
    rows == other.rows && columns == other.columns
  }

  /// `[rows, columns]`, for messages.
  public var shape: String { "[\(rows), \(columns)]" }
}
