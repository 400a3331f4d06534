/// A matrix on a tape: its value and, after ``Tape/backward(from:)``, the gradient of the loss
/// with respect to it.
public final class Variable {
  public let value: Matrix
  /// Same shape as `value`; nil when no gradient reached this variable.
  public internal(set) var gradient: Matrix?
  /// The rows of the gradient that were written, in any order and perhaps repeatedly, if all others
  /// are zero; nil if any row may have been.
  var writtenRows: [Int32]?
  let needsGradient: Bool

  init(value: Matrix, needsGradient: Bool) {
    self.value = value
    self.needsGradient = needsGradient
  }

  public var rows: Int { value.rows }
  public var columns: Int { value.columns }

  /// The rows of the gradient that may have elements other than 0, ascending; none without a
  /// gradient.
  public var gradientRows: [UInt32] {
    guard let gradient else { return [] }
    guard let writtenRows else { return gradient.nonZeroRows }
    return writtenRows.distinctAscending(below: rows).map { UInt32(truncatingIfNeeded: $0) }
  }

  func discardGradient() {
    gradient = nil
    writtenRows = nil
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

extension [Int32] {
  /// The same numbers without repetitions, ascending.
  ///
  /// - Precondition: all are in `0 ..< bound`.
  func distinctAscending(below bound: Int) -> [Int32] {
    var isPresent = [Bool](repeating: false, count: bound)
    for number in self { isPresent[Int(number)] = true }
    return (0..<Int32(bound)).filter { isPresent[Int($0)] }
  }
}
