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
