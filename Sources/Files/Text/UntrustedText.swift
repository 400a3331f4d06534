extension StringProtocol {
  /// The text for use in a message: shortened, and with `?` in place of control characters and line
  /// breaks, which a terminal would interpret.
  ///
  /// - Parameter limit: how many Unicode scalars are kept; a longer text ends with `…`.
  package func sanitized(atMost limit: Int = 60) -> String {
    // Most texts.
    if utf8.count <= limit, utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) { return String(self) }
    var result = String.UnicodeScalarView()
    var count = 0
    for scalar in unicodeScalars {
      guard count < limit else {
        result.append("…")
        break
      }
      result.append(Self.isHarmless(scalar) ? scalar : "?")
      count += 1
    }
    return String(result)
  }

  /// The whole text for printing: with `?` in place of everything that a terminal would interpret,
  /// except line breaks and tabs.
  package func withoutControlCharacters() -> String {
    // Most texts, at the speed of memory.
    let isPlain = utf8.withContiguousStorageIfAvailable { bytes in
      bytes.allSatisfy { (0x20..<0x7F).contains($0) || $0 == 0x0A || $0 == 0x09 }
    }
    if isPlain == true { return String(self) }
    guard !unicodeScalars.allSatisfy({ Self.isPrintable($0) }) else { return String(self) }
    var result = String.UnicodeScalarView()
    for scalar in unicodeScalars { result.append(Self.isPrintable(scalar) ? scalar : "?") }
    return String(result)
  }

  private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    scalar == "\n" || scalar == "\t" || isHarmless(scalar)
  }

  private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
    // Quick for most texts: looking up a category takes long.
    if scalar.isASCII { return (0x20..<0x7F).contains(scalar.value) }
    return switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: false
    default: true
    }
  }
}
