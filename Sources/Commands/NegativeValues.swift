/// Negative numbers as values of options.
enum NegativeValues {
  /// The arguments with `--user -1` in the form `--user=-1`. By itself the parser takes whatever
  /// begins with a dash for an option, and says that a value is missing that is there. No option is
  /// called by a number, so that nothing else is meant.
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
