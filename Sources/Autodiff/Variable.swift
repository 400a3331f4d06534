public import Tensors

/// A matrix on a tape: its value and, after ``Tape/backward(from:)``, the gradient of the loss
/// with respect to it.
public final class Variable {
  public let value: Matrix
  /// Same shape as `value`; nil when no gradient reached this variable.
  public internal(set) var gradient: Matrix?
  let needsGradient: Bool

  init(value: Matrix, needsGradient: Bool) {
    self.value = value
    self.needsGradient = needsGradient
  }

  public var rows: Int { value.rows }
  public var columns: Int { value.columns }

  /// The value of a `[1, 1]` variable.
  public var scalar: Float {
    precondition(rows == 1 && columns == 1, "scalar of a \(value.shape) variable")
    return value.pointer[0]
  }
}
