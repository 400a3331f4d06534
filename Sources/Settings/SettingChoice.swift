import Files

/// A value that is one of a few words.
public protocol SettingChoice: SettingScalar, RawRepresentable, CaseIterable
where RawValue == String {}

extension SettingChoice {
  public static var expectation: String {
    let words = allCases.map(\.rawValue)
    guard let last = words.last, words.count > 1 else { return words.joined() }
    return "\(words.dropLast().joined(separator: ", ")) or \(last)"
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
