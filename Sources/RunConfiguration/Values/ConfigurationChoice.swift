internal import ForeignText

/// A value that is one of a few words.
public protocol ConfigurationChoice: ConfigurationScalar, RawRepresentable, CaseIterable
where RawValue == String {}

extension ConfigurationChoice {
  public static var expectation: String { alternatives(allCases.map(\.rawValue)) }

  public var yaml: String { rawValue.yaml }

  public init(reading word: String) throws(UnreadableValue) {
    guard let value = Self(rawValue: word) else {
      throw UnreadableValue(insteadOf: Self.allCases.map(\.rawValue), found: word)
    }
    self = value
  }
}

/// The words in a sentence: `a, b or c`.
func alternatives(_ words: [String]) -> String {
  words.count == 1
    ? words.joined() : words.dropLast().joined(separator: ", ") + " or " + words.suffix(1).joined()
}

extension UnreadableValue {
  /// Another word than those that there are.
  init(insteadOf words: [String], found word: String) {
    self.init(advice: NearestName.find(word, among: words).map { "did you mean '\($0)'?" })
  }
}
