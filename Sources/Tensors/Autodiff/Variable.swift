/// A matrix on a tape: its value and, after ``Tape/backward(from:)``, the gradient of the loss
/// with respect to it.
public final class Variable {
  public let value: Matrix
  /// Same shape as `value`; nil when no gradient reached this variable, or a table's is kept as
  /// rows (``gradientByRows``).
  public internal(set) var gradient: Matrix?
  /// The rows of the gradient that were written, in any order and perhaps repeatedly, if all others
  /// are zero; nil if any row may have been.
  var writtenRows: [Int32]?
  /// The gradient of a table as long as it consists of the rows of one selection, in place of
  /// `gradient`.
  var keptRows: RowGradient?
  let needsGradient: Bool
  /// Whether the gradient may be kept as rows.
  let isTable: Bool

  init(value: Matrix, needsGradient: Bool, isTable: Bool = false) {
    self.value = value
    self.needsGradient = needsGradient
    self.isTable = isTable
  }

  public var rows: Int { value.rows }
  public var columns: Int { value.columns }

  /// The rows of the gradient that may have elements other than 0, ascending; none without a
  /// gradient.
  public var gradientRows: [UInt32] {
    gradientByRows?.rows.map { UInt32(truncatingIfNeeded: $0) } ?? []
  }

  /// The rows of the gradient that may have elements other than 0, with their values; nil without a
  /// gradient.
  public var gradientByRows: RowGradient? {
    if let keptRows { return keptRows }
    guard let gradient else { return nil }
    let rows =
      writtenRows?.distinctAscending(below: rows)
      ?? gradient.nonZeroRows.map { Int32(truncatingIfNeeded: $0) }
    return RowGradient(rows: rows, values: gradient, isCompact: false)
  }

  func discardGradient() {
    gradient = nil
    writtenRows = nil
    keptRows = nil
  }

  /// The gradient, for a caller that writes to it.
  public func takeGradient() -> Matrix? {
    writtenRows = nil
    return gradient
  }

  /// The value of a `[1, 1]` variable.
  public var scalar: Float {
    precondition(rows == 1 && columns == 1, "scalar of a \(value.shape) variable")
    return value.pointer[0]
  }
}

/// Some rows of a gradient, the others of which are zero. Valid as long as the recording.
public struct RowGradient {
  /// Ascending, each once.
  public let rows: [Int32]
  /// `[rows.count, D]` if compact, else the whole gradient.
  let values: Matrix
  /// Whether `values` has the listed rows only.
  let isCompact: Bool

  public var width: Int { values.columns }

  /// Calls `body` with the values of all rows, one after the other in memory, if they are stored
  /// like that.
  ///
  /// - Returns: whether they are.
  public func withContiguousValues(_ body: (UnsafeBufferPointer<Float>) -> Void) -> Bool {
    guard isCompact else { return false }
    withExtendedLifetime(values) { body(UnsafeBufferPointer(values.elements)) }
    return true
  }

  /// Calls `body` with the values of the row at a position of `rows`, `[D]`.
  public func withRow<Result>(
    at position: Int, _ body: (UnsafePointer<Float>) -> Result
  ) -> Result {
    withExtendedLifetime(values) {
      body(values.pointer + (isCompact ? position : Int(rows[position])) * values.columns)
    }
  }
}

extension [Int32] {
  /// Whether every number is greater than the one before.
  var isAscendingDistinct: Bool {
    withUnsafeBufferPointer { numbers in
      (1..<Swift.max(1, numbers.count)).allSatisfy { numbers[$0 - 1] < numbers[$0] }
    }
  }

  /// The same numbers without repetitions, ascending.
  ///
  /// - Precondition: all are in `0 ..< bound`.
  func distinctAscending(below bound: Int) -> [Int32] {
    var isPresent = [Bool](repeating: false, count: bound)
    for number in self { isPresent[Int(number)] = true }
    return (0..<Int32(bound)).filter { isPresent[Int($0)] }
  }
}
