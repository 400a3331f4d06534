extension String: SettingScalar {
  public static var expectation: String { "text" }

  /// Quoted unless it is a plain word that no YAML reader could take for anything else.
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
      // `YAMLAlias` refuses what looks like one inside quotes, too.
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
