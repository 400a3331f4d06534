/// The declaration of one setting. Reading, checking, help and the resolved configuration all
/// follow from it.
public struct ConfigurationKey<Value: ConfigurationValue>: ConfigurationKeyDeclaration {
  public let name: String
  public let defaultValue: Value
  public let constraint: Constraint<Value>
  public let unit: String?
  public let aliases: [String]
  public let scope: KeyScope
  public let influencesResult: Bool
  public let summary: String

  /// - Parameters:
  ///   - name: in snake case; the name in every file and option.
  ///   - unit: what a number counts.
  ///   - scope: when the setting has an effect.
  ///   - aliases: what other toolboxes call it.
  ///   - influencesResult: whether another value gives another trained model.
  ///   - summary: what it does and where its default comes from, as help shows it.
  init(
    _ name: String, default defaultValue: Value, _ constraint: Constraint<Value> = .any,
    unit: String? = nil, scope: KeyScope = .always, aliases: [String] = [],
    influencesResult: Bool = true, help summary: String
  ) {
    self.name = name
    self.defaultValue = defaultValue
    self.constraint = constraint
    self.unit = unit
    self.scope = scope
    self.aliases = aliases
    self.influencesResult = influencesResult
    self.summary = summary
  }

  public var expectation: String {
    [Value.expectation, constraint.description].filter { !$0.isEmpty }.joined(separator: ", ")
  }

  public var anyDefault: any ConfigurationValue { defaultValue }

  public func read(_ text: ConfigurationText) throws(UnreadableValue) -> any ConfigurationValue {
    let value = try Value(reading: text)
    guard constraint.accepts(value) else { throw UnreadableValue() }
    guard value.asComputed != nil else {
      throw UnreadableValue(advice: "in the 32-bit floats of the computation it is 0 or infinite")
    }
    return value
  }
}
