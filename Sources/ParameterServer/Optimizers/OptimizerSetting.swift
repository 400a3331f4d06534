/// A setting that an optimizer declares; the key table of the configuration takes it from there.
package struct OptimizerSetting: Sendable {
  package enum Kind: Sendable {
    case number(default: Double, Bounds)
    case word(default: String, among: [String])
  }

  package enum Bounds: Sendable {
    case closed(ClosedRange<Double>)
    case halfOpen(Range<Double>)
  }

  /// In snake case, led by the optimizer's name.
  package let name: String
  package let kind: Kind
  /// What it does and where its default comes from, as help shows it.
  package let help: String

  init(_ name: String, _ kind: Kind, help: String) {
    self.name = name
    self.kind = kind
    self.help = help
  }
}

/// Values of the settings of an optimizer, by name.
package struct OptimizerValues: Sendable {
  private let numbers: [String: Double]
  private let words: [String: String]

  package init(numbers: [String: Double] = [:], words: [String: String] = [:]) {
    self.numbers = numbers
    self.words = words
  }

  func number(_ name: String, else standard: Double) -> Double { numbers[name] ?? standard }

  func word(_ name: String) -> String? { words[name] }
}
