/// The declaration of one setting. Reading, checking, help and the resolved configuration all
/// follow from it.
///
///     let margin = Setting(
///       "margin", default: 1.0, .above(0), help: "How far a positive item should be ahead.")
public struct Setting<Value: SettingValue>: SettingDeclaration {
  public let name: String
  public let defaultValue: Value
  public let constraint: Constraint<Value>
  public let unit: String?
  public let aliases: [String]
  public let influencesResult: Bool
  public let summary: String

  /// - Parameters:
  ///   - name: in snake case; the name in every file and option.
  ///   - unit: what a number counts.
  ///   - aliases: its names in other toolboxes.
  ///   - influencesResult: whether the trained model depends on the value.
  ///   - summary: what it does and where its default comes from, as help shows it.
  public init(
    _ name: String, default defaultValue: Value, _ constraint: Constraint<Value> = .any,
    unit: String? = nil, aliases: [String] = [], influencesResult: Bool = true,
    help summary: String
  ) {
    self.name = name
    self.defaultValue = defaultValue
    self.constraint = constraint
    self.unit = unit
    self.aliases = aliases
    self.influencesResult = influencesResult
    self.summary = summary
  }

  public var expectation: String {
    [Value.expectation, constraint.description].filter { !$0.isEmpty }.joined(separator: ", ")
  }

  public var anyDefault: any SettingValue { defaultValue }

  public var acceptsDefault: Bool { constraint.accepts(defaultValue) }

  public func read(_ written: WrittenValue) throws(UnreadableValue) -> any SettingValue {
    let value = try Value(reading: written)
    guard constraint.accepts(value) else { throw UnreadableValue() }
    guard value.asComputed != nil else {
      throw UnreadableValue(advice: "in the 32-bit floats of the computation it is 0 or infinite")
    }
    return value
  }
}

/// A ``Setting`` of any type.
public protocol SettingDeclaration: Sendable {
  var name: String { get }
  var anyDefault: any SettingValue { get }
  /// Whether the default fulfils the constraint.
  var acceptsDefault: Bool { get }
  /// Type and range, with an article: `a number, above 0`.
  var expectation: String { get }
  var unit: String? { get }
  var aliases: [String] { get }
  var influencesResult: Bool { get }
  var summary: String { get }
  /// Reads and checks a value.
  func read(_ written: WrittenValue) throws(UnreadableValue) -> any SettingValue
}

extension SettingDeclaration {
  /// Whether another declaration describes the same setting: several models may share one.
  package func agrees(with other: any SettingDeclaration) -> Bool {
    name == other.name && type(of: self) == type(of: other)
      && anyDefault.yaml == other.anyDefault.yaml && expectation == other.expectation
      && unit == other.unit && aliases == other.aliases && summary == other.summary
      && influencesResult == other.influencesResult
  }
}
