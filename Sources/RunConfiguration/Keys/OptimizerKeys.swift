package import ParameterServer

/// The settings that the optimizers declare in their own files.
public struct OptimizerKeys: ConfigurationSection {
  public static let title = "Settings of single optimizers"

  public let keys: [any ConfigurationKeyDeclaration] = OptimizerRegistry.settings.flatMap {
    optimizer, settings in
    settings.map { Self.key(for: $0, scope: .optimizer(optimizer)) }
  }

  private static func key(
    for setting: OptimizerSetting, scope: KeyScope
  ) -> any ConfigurationKeyDeclaration {
    switch setting.kind {
    case .number(let standard, let bounds):
      let constraint: Constraint<Double> =
        switch bounds {
        case .closed(let range): .within(range)
        case .halfOpen(let range): .within(range)
        }
      return ConfigurationKey<Double>(
        setting.name, default: standard, constraint, scope: scope, help: setting.help)
    case .word(let standard, let words):
      return WordKey(
        name: setting.name, standard: standard, words: words, scope: scope, summary: setting.help)
    }
  }
}

extension RunConfiguration {
  /// The optimizer with its settings.
  package var optimizer: any RowOptimizer {
    var numbers: [String: Double] = [:]
    var words: [String: String] = [:]
    for key in ConfigurationKeys.table.optimizers.keys {
      let value = setting(key).value
      if let number = value as? Double { numbers[key.name] = number }
      if let word = value as? String { words[key.name] = word }
    }
    let name = self.training.optimizer.rawValue
    guard
      let optimizer = OptimizerRegistry.make(name, OptimizerValues(numbers: numbers, words: words))
    else { preconditionFailure("'\(name)' was read as an optimizer") }
    return optimizer
  }
}

/// A key that takes one of a few words, where the words are no type of their own.
struct WordKey: ConfigurationKeyDeclaration {
  let name: String
  let standard: String
  let words: [String]
  let scope: KeyScope
  let summary: String

  var anyDefault: any ConfigurationValue { standard }
  var expectation: String { alternatives(words) }
  var unit: String? { nil }
  var aliases: [String] { [] }
  var influencesResult: Bool { true }

  func read(_ text: ConfigurationText) throws(UnreadableValue) -> any ConfigurationValue {
    let word = try String(reading: text)
    guard words.contains(word) else { throw UnreadableValue(insteadOf: words, found: word) }
    return word
  }
}
