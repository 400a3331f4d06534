internal import CKernels

/// A row-major `Float` matrix over one 64-byte aligned buffer, `[rows, columns]`.
///
/// A matrix is a *reference* to its buffer: operations write into matrices that their caller
/// owns, so that a training step can reuse the same buffers and allocate nothing.
///
/// `Sendable` is unchecked because a matrix has one owner at a time: it passes between threads only
/// through a mailbox, which orders the accesses.
public final class Matrix: @unchecked Sendable {
  public let rows: Int
  public let columns: Int
  public let pointer: UnsafeMutablePointer<Float>
  let storage: MatrixStorage

  /// Number of elements, `rows * columns`.
  public var count: Int { rows * columns }

  /// A matrix of zeros.
  ///
  /// - Precondition: `rows >= 0 && columns >= 0`.
  public init(rows: Int, columns: Int) {
    precondition(rows >= 0 && columns >= 0, "Matrix(\(rows), \(columns)): negative extent")
    self.rows = rows
    self.columns = columns
    storage = MatrixStorage(capacity: rows * columns)
    pointer = storage.pointer
    pointer.initialize(repeating: 0, count: rows * columns)
  }

  /// A matrix over the beginning of a buffer that may be larger; its elements are what the buffer
  /// holds.
  ///
  /// - Precondition: `rows * columns <= storage.capacity`.
  public init(rows: Int, columns: Int, storage: MatrixStorage) {
    precondition(
      rows >= 0 && columns >= 0 && rows * columns <= storage.capacity,
      "Matrix(\(rows), \(columns)) over \(storage.capacity) elements")
    self.rows = rows
    self.columns = columns
    self.storage = storage
    pointer = storage.pointer
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

  /// The rows that have an element other than 0, ascending.
  public var nonZeroRows: [UInt32] {
    [UInt32](unsafeUninitializedCapacity: rows) { buffer, count in
      if let base = buffer.baseAddress {
        count = mrdib_nonzero_rows(pointer, rows, columns, base)
      }
    }
  }

  /// `[rows, columns]`, for messages.
  public var shape: String { "[\(rows), \(columns)]" }
}

/// A 64-byte aligned buffer of floats.
public final class MatrixStorage {
  public let pointer: UnsafeMutablePointer<Float>
  /// Number of elements that fit.
  public let capacity: Int

  public init(capacity: Int) {
    self.capacity = max(16, capacity)
    let raw = UnsafeMutableRawPointer.allocate(
      byteCount: self.capacity * MemoryLayout<Float>.stride, alignment: 64)
    pointer = raw.bindMemory(to: Float.self, capacity: self.capacity)
  }

  deinit { pointer.deallocate() }
}
