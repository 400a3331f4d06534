import Files

extension Bool: SettingScalar {
  public static var expectation: String { "true or false" }

  public var yaml: String { self ? "true" : "false" }

  /// Every spelling that YAML 1.1 takes for a truth value.
  public init(reading word: String) throws(UnreadableValue) {
    switch word {
    case "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON": self = true
    case "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF": self = false
    default: throw UnreadableValue()
    }
  }
}

extension Int: SettingScalar {
  public static var expectation: String { "a whole number" }

  public var yaml: String { String(self) }

  /// Decimal digits, or a decimal number such as `1e3` whose value is whole.
  public init(reading word: String) throws(UnreadableValue) {
    let digits = word.hasPrefix("-") || word.hasPrefix("+") ? word.dropFirst() : word[...]
    if digits.count > 1 && digits.hasPrefix("0") && digits.allSatisfy(\.isWholeNumber) {
      throw UnreadableValue(
        advice: "a leading zero means octal to some YAML readers: write it without")
    }
    if let value = Int(word) {
      self = value
      return
    }
    // Beyond 2^53 a decimal number need not be the one that was written.
    guard let value = Double(decimal: word), let whole = Int(exactly: value),
      whole.magnitude <= 1 << 53
    else { throw UnreadableValue() }
    self = whole
  }
}

extension Double: SettingScalar {
  public static var expectation: String { "a number" }

  /// The shortest decimal that reads back to the same bits; whole numbers without `.0`.
  public var yaml: String {
    description.hasSuffix(".0") ? String(description.dropLast(2)) : description
  }

  /// Models are computed in 32-bit floats, in which small numbers are 0 and large ones infinite.
  public var asComputed: Double? {
    let single = Float(self)
    return single.isFinite && (self == 0 || single.magnitude >= .leastNormalMagnitude)
      ? Double(single) : nil
  }

  /// A finite decimal number; `1e-3` and `.5e3` are, although YAML 1.1 takes one or the other for
  /// text.
  public init(reading word: String) throws(UnreadableValue) {
    guard let value = Double(decimal: word) else { throw UnreadableValue() }
    self = value
  }

  /// Reads decimal notation only: no hexadecimal, no `inf`, no `nan`.
  init?(decimal word: String) {
    guard word.utf8.allSatisfy({ "0123456789+-.eE".utf8.contains($0) }), let value = Double(word),
      value.isFinite
    else { return nil }
    self = value
  }
}

extension String: SettingScalar {
  public static var expectation: String { "text" }

  /// Quoted unless it is a plain word that every YAML reader reads as text.
  public var yaml: String {
    let isPlain =
      first.map { $0.isASCII && $0.isLetter } == true
      && allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_-.@/".contains($0)) }
    return isPlain && !Self.wordsWithMeaning.contains(lowercased()) ? self : quoted
  }

  private static let wordsWithMeaning: Set<String> = [
    "y", "n", "yes", "no", "on", "off", "true", "false", "null",
  ]

  /// A double-quoted YAML scalar on one line.
  private var quoted: String {
    var text = "\""
    for scalar in unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      // `YAMLAlias` refuses an asterisk inside quotes as well.
      case "*": text += "\\u002a"
      case _
      where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
        || scalar == "\u{2028}" || scalar == "\u{2029}" || scalar == "\u{FEFF}":
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text + "\""
  }

  /// The text as written: `no` is the word, not a truth value.
  public init(reading word: String) throws(UnreadableValue) { self = word }
}

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

/// A list of scalars; a single scalar is a list of one, so that `--set topk=20` works.
extension Array: SettingValue where Element: SettingScalar {
  public static var expectation: String {
    "a list, each element \(Element.expectation)"
  }

  public var yaml: String { "[\(map(\.yaml).joined(separator: ", "))]" }

  public init(reading written: WrittenValue) throws(UnreadableValue) {
    let elements = if case .list(let list) = written { list } else { [written] }
    var values: [Element] = []
    for element in elements {
      guard !element.isNull else { throw UnreadableValue(advice: "an element has no value") }
      values.append(try Element(reading: element))
    }
    self = values
  }
}
