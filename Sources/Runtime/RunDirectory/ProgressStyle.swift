/// How progress is shown on stderr.
public enum ProgressStyle: Sendable, Equatable {
  /// One line that is rewritten, at most `width` columns wide; results stay above it.
  case rewriting(width: Int)
  /// Lines that stay: one per epoch, and one every `interval` seconds in between.
  case plain(interval: Double)
  /// Only what went wrong.
  case quiet

  /// Rewrites only where a person watches: on a terminal that can, unless `NO_COLOR`, `CI` or a
  /// dumb terminal say otherwise.
  public static func choose(
    isTerminal: Bool, width: Int, isQuiet: Bool, environment: [String: String]
  ) -> ProgressStyle {
    if isQuiet { return .quiet }
    let isSet = { (name: String) in !(environment[name] ?? "").isEmpty }
    let isPlain = isSet("NO_COLOR") || isSet("CI") || environment["TERM"] == "dumb"
    return isTerminal && !isPlain ? .rewriting(width: max(20, width)) : .plain(interval: 30)
  }
}
