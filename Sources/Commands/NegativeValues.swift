/// Negative numbers as values of options.
enum NegativeValues {
  /// The arguments with `--user -1` in the form `--user=-1`. The parser takes everything that
  /// begins with a dash for an option and would report a missing value. No option is a number, so
  /// this is unambiguous.
  static func joined(_ arguments: [String]) -> [String] {
    var result: [String] = []
    var isOver = false
    for argument in arguments {
      if argument == "--" { isOver = true }
      if !isOver, let option = result.last, isLongOption(option), isNegativeNumber(argument) {
        result[result.count - 1] = "\(option)=\(argument)"
      } else {
        result.append(argument)
      }
    }
    return result
  }

  private static func isLongOption(_ argument: String) -> Bool {
    argument.hasPrefix("--") && argument.count > 2 && !argument.contains("=")
  }

  private static func isNegativeNumber(_ argument: String) -> Bool {
    argument.prefixMatch(of: /-\.?[0-9]/) != nil
  }
}
