/// Which values of a type a key allows.
public struct Constraint<Value: ConfigurationValue>: Sendable {
  /// Goes behind what is expected: `above 0`; empty if everything is allowed.
  let description: String
  let accepts: @Sendable (Value) -> Bool

  static var any: Constraint { Constraint(description: "") { _ in true } }
}

extension Constraint where Value: Comparable {
  static func atLeast(_ least: Value) -> Constraint {
    Constraint(description: "at least \(least.yaml)") { $0 >= least }
  }

  static func above(_ bound: Value) -> Constraint {
    Constraint(description: "above \(bound.yaml)") { $0 > bound }
  }

  static func within(_ range: ClosedRange<Value>) -> Constraint {
    Constraint(description: "from \(range.lowerBound.yaml) to \(range.upperBound.yaml)") {
      range.contains($0)
    }
  }

  /// A range, or a nought that stands for never.
  static func within(_ range: ClosedRange<Value>, or nought: Value) -> Constraint {
    Constraint(
      description: "\(nought.yaml), or from \(range.lowerBound.yaml) to \(range.upperBound.yaml)"
    ) { $0 == nought || range.contains($0) }
  }

  static func above(_ bound: Value, upTo most: Value) -> Constraint {
    Constraint(description: "above \(bound.yaml) and at most \(most.yaml)") {
      $0 > bound && $0 <= most
    }
  }
}

extension Constraint where Value == Double {
  /// The weight of a term of a loss: none, or one that 32-bit floats notice beside the other terms.
  static var weight: Constraint { within(1e-9...1e6, or: 0) }

  /// A step size: below the least, no 32-bit weight would move.
  static var stepSize: Constraint { within(leastStepSize...100) }

  /// What is left of the smallest weights that models begin with when they are rounded.
  static var leastStepSize: Double { 1e-12 }

  /// A range without its end: what is below it by its last digits only is not below it in
  /// computations.
  static func within(_ range: Range<Double>) -> Constraint {
    Constraint(
      description: "from \(range.lowerBound.yaml) to below \(range.upperBound.yaml), also as a "
        + "32-bit float"
    ) { value in range.contains(value) && value.asComputed.map(range.contains) == true }
  }
}

extension Constraint where Value == String {
  /// Processes with other working directories use the path, and no shell expands a `~` in it.
  static var absolutePathOrEmpty: Constraint {
    Constraint(description: "an absolute path, or empty") { $0.isEmpty || $0.hasPrefix("/") }
  }
}

extension Constraint where Value == String {
  /// As data sets compute it. Older releases wrote 16 digits of another algorithm.
  static var contentDigestOrEmpty: Constraint {
    Constraint(
      description: "xxh128: and 32 hexadecimal digits (older releases wrote other digests), or "
        + "empty to take the data as it is"
    ) { $0.isEmpty || $0.wholeMatch(of: /xxh128:[0-9a-f]{32}/) != nil }
  }
}

extension Constraint where Value == [Int] {
  /// At least one number, each in the range.
  static func someWithin(_ range: ClosedRange<Int>) -> Constraint {
    Constraint(
      description: "from \(range.lowerBound) to \(range.upperBound), not empty"
    ) { values in !values.isEmpty && values.allSatisfy(range.contains) }
  }
}

extension Constraint where Value == [MetricName] {
  static var eachOnce: Constraint {
    Constraint(description: "every name once") { Set($0.map(\.rawValue)).count == $0.count }
  }
}

extension Constraint where Value == [Modality] {
  /// No name twice: parameters are named after modalities.
  static var distinctNames: Constraint {
    Constraint(description: "every name once") { modalities in
      Set(modalities.map(\.name)).count == modalities.count
    }
  }
}
