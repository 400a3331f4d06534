import ArgumentParser
import Files
import Foundation
import Runtime

struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Print where a run is, from its coordinator or from its files.",
    discussion: """
      With --coordinator it asks the page of a running coordinator (started with --page): the step,
      the time left, workers and servers. With --run it reads the files of a run that is under way,
      dead or finished, and says which.

      Examples:
        mrdib status --run runs/one
        mrdib status --coordinator 10.0.0.5:8090 --page-token FILE --watch
        mrdib status --run runs/one --json | jq .selection
      """)

  @Option(
    help: ArgumentHelp(
      "The address of a coordinator's page, as its --page has it (default: none, see --run).",
      valueName: "address"))
  var coordinator: String?

  @Option(
    name: .customLong("run"),
    help: ArgumentHelp(
      "The directory of a run (default: none, see --coordinator).", valueName: "folder"),
    completion: .directory)
  var runDirectory: String?

  @Option(
    help: ArgumentHelp(
      "A file with the token that the page asks for (default: no token).", valueName: "file"),
    completion: .file())
  var pageToken: String?

  @Flag(help: "Print JSON (schema 1); with --watch an object on a line each time.")
  var json = false

  @Flag(help: "Print again until the run is over or Ctrl-C ends it.")
  var watch = false

  @Option(
    help: ArgumentHelp("Seconds between two prints of --watch, at least 1.", valueName: "seconds"))
  var interval = 2.0

  func validate() throws {
    guard (coordinator == nil) != (runDirectory == nil) else {
      throw ValidationError("Give --coordinator or --run, one of them.")
    }
    guard pageToken == nil || coordinator != nil else {
      throw ValidationError("--page-token has no effect without --coordinator; leave it out.")
    }
    guard interval >= 1, interval <= 86_400 else {
      throw ValidationError("--interval is \(interval); give 1 to 86400 seconds.")
    }
  }

  func run() throws {
    try reporting {
      let read = try reader()
      guard watch else { return try write(try read()) }
      let signals = try SignalPipe.untilExit()
      var screen = RewrittenLines()
      while true {
        let overview = try read()
        if json {
          StandardOutput.write(text: String(decoding: try overview.encoded(), as: UTF8.self))
        } else {
          screen.show { overview.lines(atMost: $0) }
        }
        if overview.state.isOver || !StandardOutput.isWanted { return }
        signals.wait(seconds: interval)
        if let signal = signals.next() { StandardOutput.leave(.signal(signal)) }
      }
    }
  }

  private func reader() throws -> () throws -> RunOverview {
    if let coordinator {
      let token = try pageToken.map { try Self.token(in: $0) }
      let request = try PageRequest(address: coordinator, token: token)
      return { try request.overview() }
    }
    let directory = RunDirectory(existing: runDirectory ?? ".")
    return { try RunOverview.read(directory).overview }
  }

  private static func token(in path: String) throws -> String {
    do {
      let bytes = try PlainFile.contents(of: path, atMost: 4096)
      return String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    } catch {
      throw RuntimeError(
        exitCode: .inputMissing,
        message: "Cannot read the token file '\(path.sanitized())': \(error.reason); check the "
          + "path.")
    }
  }

  private func write(_ overview: RunOverview) throws {
    guard json else { return StandardOutput.write(overview.lines()) }
    StandardOutput.write(
      text: String(decoding: try overview.encoded(isPretty: true), as: UTF8.self))
  }
}

/// Lines that replace those before on a terminal; elsewhere they follow each other, with a blank
/// line between.
private struct RewrittenLines {
  private var shownCount = 0

  mutating func show(_ lines: (_ width: Int) -> [String]) {
    guard ProcessOutput.isResultsTerminal,
      case .rewriting(let width) = ProgressStyle.choose(
        isTerminal: true, width: ProgressStyle.resultsWidth, isQuiet: false,
        environment: ProcessInfo.processInfo.environment)
    else {
      StandardOutput.write((shownCount > 0 ? [""] : []) + lines(.max))
      shownCount = 1
      return
    }
    let fitted = lines(width - 1)
    // To the first of the lines before; the rest of the screen is erased.
    let back = shownCount > 0 ? "\u{1B}[\(shownCount)A\u{1B}[J" : ""
    StandardOutput.write(text: back + fitted.map { "\($0)\n" }.joined())
    shownCount = fitted.count
  }
}
