/// Tables for spreadsheets and data frames.
///
/// - Source: RFC 4180, with `\n` at the end of lines.
enum CSV {
  static func text(_ rows: [[String]]) -> String {
    rows.map { $0.map(field).joined(separator: ",") + "\n" }.joined()
  }

  /// In quotes where the text could be taken for something else; quotes are doubled.
  static func field(_ text: String) -> String {
    // Scalars: "\r\n" is one character.
    let isPlain = !text.unicodeScalars.contains { ",\"\n\r".unicodeScalars.contains($0) }
    return isPlain ? text : "\"" + text.split(separator: "\"", omittingEmptySubsequences: false)
      .joined(separator: "\"\"") + "\""
  }

  /// The shortest decimal that reads back to the same bits; nothing for nothing.
  static func number(_ value: Double?) -> String { value.map { "\($0)" } ?? "" }
}
