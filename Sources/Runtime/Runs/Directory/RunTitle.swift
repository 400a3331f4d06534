import Files

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// What a user calls a run, to find it among others. It changes nothing about the run itself.
package struct RunTitle: Sendable, Equatable {
  package var name: String?
  package var labels: [String: String]

  /// The most labels of a run.
  private static let mostLabels = 64

  package init(name: String? = nil, labels: [String: String] = [:]) {
    self.name = name
    self.labels = labels
  }

  /// From the command line.
  ///
  /// - Parameter labels: `key=value` each; of equal keys the last one counts.
  /// - Throws: ``RuntimeError`` that names what is malformed.
  package init(name: String?, labels: [String]) throws {
    if let name, name.isEmpty || !Self.isShown(name, atMost: 128) {
      throw RuntimeError(
        exitCode: .usage,
        message: "Cannot name the run '\(name.sanitized(atMost: 80))': give 1 to 128 characters "
          + "without control characters with --name.")
    }
    guard labels.count <= Self.mostLabels else {
      throw RuntimeError(
        exitCode: .usage,
        message: "Cannot label the run: \(labels.count) labels are given, and a run has at most "
          + "\(Self.mostLabels). Leave some --label out.")
    }
    self.init(name: name)
    for label in labels {
      let (key, value) = try Self.pair(label)
      self.labels[key] = value
    }
  }

  /// The parts of `key=value`.
  ///
  /// - Throws: ``RuntimeError`` if the text is not of this form.
  package static func pair(_ text: String) throws -> (key: String, value: String) {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0].wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9._\/-]{0,62}/) != nil,
      isShown(String(parts[1]), atMost: 256)
    else {
      throw RuntimeError(
        exitCode: .usage,
        message: "Cannot use the label '\(text.sanitized(atMost: 80))': give KEY=VALUE, the key of "
          + "1 to 63 letters, digits and . _ / -, the value of at most 256 characters without "
          + "control characters.")
    }
    return (String(parts[0]), String(parts[1]))
  }

  private static func isShown(_ text: String, atMost limit: Int) -> Bool {
    text.count <= limit && !text.contains(where: \.isNewline)
      && text.withoutControlCharacters() == text
  }

  /// With a later start's name, if it has one, and its labels; other labels stay.
  func updated(with later: RunTitle) -> RunTitle {
    RunTitle(
      name: later.name ?? name, labels: labels.merging(later.labels) { _, later in later })
  }

  /// The name of the user that this process runs as; the number if it has no name.
  static var user: String {
    guard let entry = getpwuid(geteuid()), let name = entry.pointee.pw_name else {
      return "\(geteuid())"
    }
    return String(cString: name)
  }
}
