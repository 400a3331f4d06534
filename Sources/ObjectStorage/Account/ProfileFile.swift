import Files

/// A file with the settings of several accounts, in the format of `~/.aws/config` and
/// `~/.aws/credentials`: `[section]` lines, and `name = value` lines below each.
struct ProfileFile {
  private static let mostBytes = 1 << 20

  /// Values by name, by section.
  private var sections: [String: [String: String]] = [:]

  /// Reads a file. One that is missing or cannot be read has no sections: credentials may come from
  /// elsewhere, and if they do not, the message says where they were looked for.
  init(path: String) {
    let bytes = try? PlainFile.contents(of: path, atMost: Self.mostBytes)
    self.init(text: String(decoding: bytes ?? [], as: UTF8.self))
  }

  init(text: String) {
    var section: String?
    for line in text.split(whereSeparator: \.isNewline) {
      // Settings within a setting are indented; none of them is used here.
      let isNested = line.first == " " || line.first == "\t"
      let content = line.trimmed
      guard !isNested, let first = content.first, first != "#", first != ";" else { continue }
      if first == "[" {
        section = content.last == "]" ? String(content.dropFirst().dropLast().trimmed) : nil
      } else if let section, let equals = content.firstIndex(of: "=") {
        let name = content[..<equals].trimmed.lowercased()
        sections[section, default: [:]][name] =
          String(content[content.index(after: equals)...].trimmed)
      }
    }
  }

  /// The values of a section; empty if there is none.
  subscript(section: String) -> [String: String] { sections[section] ?? [:] }
}

extension Substring {
  /// Without white space at its ends.
  fileprivate var trimmed: Substring {
    var rest = self
    while rest.first?.isWhitespace == true { rest.removeFirst() }
    while rest.last?.isWhitespace == true { rest.removeLast() }
    return rest
  }
}
