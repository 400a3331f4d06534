/// How much of a run is shown on stderr.
package enum ProgressDetail: Sendable, Equatable {
  /// Only warnings and errors.
  case quiet
  /// Where the run is, on the line that is rewritten or every half minute, and no line per epoch:
  /// for one of many runs.
  case brief
  /// A line per epoch.
  case normal
  /// A line per epoch, with all terms of the loss, all metrics and what is saved below it.
  case verbose
}

/// How progress is shown on stderr.
package enum ProgressStyle: Sendable, Equatable {
  /// One line that is rewritten, shorter than `width` columns; lines that stay are above it.
  case rewriting(width: Int)
  /// Lines that stay: one per epoch, and one every `interval` seconds in between.
  case plain(interval: Double)
  /// Only warnings and errors.
  case quiet

  /// Where no terminal has a width.
  static let usualWidth = 80

  /// The most characters of a progress line. A terminal's last column stays free: some terminals
  /// begin a new line when it is written.
  var lineLimit: Int {
    switch self {
    case .rewriting(let width): max(1, width - 1)
    case .plain, .quiet: Self.usualWidth - 1
    }
  }

  /// Rewrites a line only on a terminal that can, and not if `NO_COLOR` or `CI` is set.
  package static func choose(
    isTerminal: Bool, width: Int, isQuiet: Bool, environment: [String: String]
  ) -> ProgressStyle {
    if isQuiet { return .quiet }
    let isSet = { (name: String) in !(environment[name] ?? "").isEmpty }
    let isPlain = isSet("NO_COLOR") || isSet("CI") || environment["TERM"] == "dumb"
    return isTerminal && !isPlain ? .rewriting(width: max(2, width)) : .plain(interval: 30)
  }
}
