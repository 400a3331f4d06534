internal import ForeignText

/// A value that is one of a few words.
public protocol ConfigurationChoice: ConfigurationScalar, RawRepresentable, CaseIterable
where RawValue == String {}

extension ConfigurationChoice {
  public static var expectation: String {
    let words = allCases.map(\.rawValue)
    return words.count == 1
      ? words.joined()
      : words.dropLast().joined(separator: ", ") + " or " + words.suffix(1).joined()
  }

  public var yaml: String { rawValue.yaml }

  public init(reading word: String) throws(UnreadableValue) {
    guard let value = Self(rawValue: word) else {
      let nearest = NearestName.find(word, among: Self.allCases.map(\.rawValue))
      throw UnreadableValue(advice: nearest.map { "did you mean '\($0)'?" })
    }
    self = value
  }
}
