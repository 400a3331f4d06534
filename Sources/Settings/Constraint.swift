/// Which values of a type a setting allows.
public struct Constraint<Value: SettingValue>: Sendable {
  /// Goes behind what is expected: `above 0`; empty if everything is allowed.
  public let description: String
  let accepts: @Sendable (Value) -> Bool

  /// - Parameters:
  ///   - description: goes behind what is expected.
  ///   - accepts: whether a value is allowed.
  public init(_ description: String, accepts: @escaping @Sendable (Value) -> Bool) {
    self.description = description
    self.accepts = accepts
  }

  public static var any: Constraint { Constraint("") { _ in true } }
}

extension Constraint where Value: Comparable {
  public static func atLeast(_ least: Value) -> Constraint {
    Constraint("at least \(least.yaml)") { $0 >= least }
  }

  public static func above(_ bound: Value) -> Constraint {
    Constraint("above \(bound.yaml)") { $0 > bound }
  }

  public static func within(_ range: ClosedRange<Value>) -> Constraint {
    Constraint("from \(range.lowerBound.yaml) to \(range.upperBound.yaml)") {
      range.contains($0)
    }
  }

  /// A range, or a nought that stands for never.
  public static func within(_ range: ClosedRange<Value>, or nought: Value) -> Constraint {
    Constraint(
      "\(nought.yaml), or from \(range.lowerBound.yaml) to \(range.upperBound.yaml)"
    ) { $0 == nought || range.contains($0) }
  }

  public static func above(_ bound: Value, upTo most: Value) -> Constraint {
    Constraint("above \(bound.yaml) and at most \(most.yaml)") {
      $0 > bound && $0 <= most
    }
  }
}

extension Constraint where Value == Double {
  /// The weight of a term of a loss: none, or one that 32-bit floats notice beside the other terms.
  public static var weight: Constraint { within(1e-9...1e6, or: 0) }

  /// A step size: below the least, no 32-bit weight would move.
  public static var stepSize: Constraint { within(leastStepSize...100) }

  /// What is left of the smallest weights that models begin with when they are rounded.
  public static var leastStepSize: Double { 1e-12 }

  /// A range without its end: what is below it by its last digits only is not below it in
  /// computations.
  public static func within(_ range: Range<Double>) -> Constraint {
    Constraint(
      "from \(range.lowerBound.yaml) to below \(range.upperBound.yaml), also as a "
        + "32-bit float"
    ) { value in range.contains(value) && value.asComputed.map(range.contains) == true }
  }
}

extension Constraint where Value == [Int] {
  /// At least one number, each in the range.
  public static func someWithin(_ range: ClosedRange<Int>) -> Constraint {
    Constraint(
      "from \(range.lowerBound) to \(range.upperBound), not empty"
    ) { values in !values.isEmpty && values.allSatisfy(range.contains) }
  }
}
