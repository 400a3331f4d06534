/// Which values of a type a setting allows.
public struct Constraint<Value: SettingValue>: Sendable {
  /// Follows the expected type in messages: `above 0`; empty if all values are allowed.
  public let description: String
  let accepts: @Sendable (Value) -> Bool

  /// - Parameters:
  ///   - description: follows the expected type in messages.
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

  /// A range, or a special value such as 0 for never.
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
  /// The weight of a term of a loss: 0, or large enough to matter in a sum of 32-bit floats.
  public static var weight: Constraint { within(1e-9...1e6, or: 0) }

  /// A step size. A smaller one would change no 32-bit weight.
  public static var stepSize: Constraint { within(leastStepSize...100) }

  /// About the rounding error of the smallest initial weights.
  public static var leastStepSize: Double { 1e-12 }

  /// A range without its end. The 32-bit float of a value must be below the end as well.
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
