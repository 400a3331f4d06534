import ArgumentParser
import Runtime

/// What a user calls a run.
struct TitleOptions: ParsableArguments {
  @Option(
    help: "A name for the run in its records and in 'mrdib runs' (default: none).")
  var name: String?

  @Option(
    name: .customLong("label"), parsing: .singleValue,
    help: ArgumentHelp(
      "A label for the run in its records, such as team=search; may be given several times "
        + "(default: none).", valueName: "key=value"))
  var labels: [String] = []

  /// - Throws: ``RuntimeError`` that names what is malformed.
  func title() throws -> RunTitle { try RunTitle(name: name, labels: labels) }
}
