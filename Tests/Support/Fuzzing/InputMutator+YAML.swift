extension InputMutator {
  /// What has a meaning in YAML.
  public static let yamlWords = [
    ": ", "- ", "? ", "\n", "\n  ", "\n- ", "[", "]", "{", "}", ", ", "'", "\"", "# ", " #", "|\n ",
    ">-\n  ", "&a ", "*a", "!!str ", "!!binary ", "!<x> ", "%YAML 1.1\n", "---\n", "...\n", "~",
    "null", "true", "no", ".nan", "1e3", "0x1F", "1:30", "<<: ", "\\u0041", "\\x00", "\\ud800",
    "\t", "\u{FEFF}", "\u{85}", "\u{2028}", "\u{1B}[2J", "\0",
  ]
}
