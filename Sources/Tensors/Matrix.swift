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

  /// The alignment of rows that were allocated here, bytes: at it kernels are fastest.
  public static var alignment: Int { MatrixStorage.alignment }

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

  /// A matrix over memory of another owner, which must not be written through the matrix.
  ///
  /// - Parameters:
  ///   - elements: `[rows * columns]`, row by row.
  ///   - owner: keeps the memory; it lives at least as long as the matrix.
  public convenience init(
    rows: Int, columns: Int, sharing elements: UnsafePointer<Float>,
    of owner: any AnyObject & Sendable
  ) {
    self.init(
      rows: rows, columns: columns,
      storage: MatrixStorage(
        UnsafeMutablePointer(mutating: elements), capacity: rows * columns, owner: owner))
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

/// A 64-byte aligned buffer of floats, or memory of another owner.
public final class MatrixStorage {
  public let pointer: UnsafeMutablePointer<Float>
  /// Number of elements that fit.
  public let capacity: Int
  /// Whose memory it is; nil: the buffer's own.
  private let owner: (any AnyObject & Sendable)?

  fileprivate static let alignment = 64

  public init(capacity: Int) {
    self.capacity = max(16, capacity)
    let raw = UnsafeMutableRawPointer.allocate(
      byteCount: self.capacity * MemoryLayout<Float>.stride, alignment: Self.alignment)
    pointer = raw.bindMemory(to: Float.self, capacity: self.capacity)
    owner = nil
  }

  fileprivate init(
    _ pointer: UnsafeMutablePointer<Float>, capacity: Int, owner: any AnyObject & Sendable
  ) {
    self.pointer = pointer
    self.capacity = capacity
    self.owner = owner
  }

  deinit {
    if owner == nil { pointer.deallocate() }
  }
}
