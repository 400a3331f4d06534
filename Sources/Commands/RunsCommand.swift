import ArgumentParser
import Files
import Foundation
import Runtime

struct RunsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "runs", abstract: "List, show or stop the runs in a folder.",
    discussion: """
      Reads the files of runs, also of those that are training, and writes nothing. A name and \
      labels are given to a run with 'mrdib train --name NAME --label KEY=VALUE'.

        mrdib runs list runs --label team=search --state running
        mrdib runs show runs/one
        mrdib runs stop runs/one
      """,
    subcommands: [RunsList.self, RunsShow.self, RunsStop.self])
}

struct RunsList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List the runs in a folder and its subfolders, the newest first.",
    discussion: """
      The states: running (a process holds the lock of its directory), completed, early_stopped, \
      interrupted (stopped in an orderly way), failed (ended with an error), dead (killed, or its \
      machine is gone). The same command resumes an interrupted or dead run. The best value is \
      that of the metric on validation that selects the best epoch.

        mrdib runs list
        mrdib runs list /shared/runs --label team=search --state running
      """)

  @Argument(help: "The folder.", completion: .directory)
  var folder = "runs"

  @Option(
    name: .customLong("label"), parsing: .singleValue,
    help: ArgumentHelp(
      "Only runs with this label; several: with all of them (default: all runs).",
      valueName: "key=value"))
  var labels: [String] = []

  @Option(
    name: .customLong("state"), parsing: .singleValue,
    help: ArgumentHelp(
      "Only runs in this state; several: in one of them (default: all).", valueName: "state"))
  var states: [RunState] = []

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    try reporting {
      let pairs = try labels.map { try RunTitle.pair($0) }
      let listing = try RunListing(
        folder: folder,
        labels: Dictionary(pairs.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 }),
        states: states.isEmpty ? RunState.ofFiles : states)
      if json { return try StandardOutput.writeJSON(listing) }
      StandardOutput.write(listing.lines)
    }
  }
}

extension RunState: ExpressibleByArgument {
  /// - Returns: nil for what no files show.
  public init?(argument: String) {
    guard let state = RunState(rawValue: argument), RunState.ofFiles.contains(state) else {
      return nil
    }
    self = state
  }

  public static var allValueStrings: [String] { ofFiles.map(\.rawValue) }
}

struct RunsShow: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Print the record of one run.",
    discussion: """
        mrdib runs show runs/one
        mrdib runs show runs/one --json
      """)

  @Argument(help: "The directory of the run.", completion: .directory)
  var folder: String

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    try reporting {
      let found = try RunListing.run(in: folder)
      if json { return try StandardOutput.writeJSON(found) }
      StandardOutput.write(found.lines)
      if found.state == .running {
        StandardError.write("as it trains: mrdib status --run \(ShellWord.quoted(folder))")
      }
    }
  }
}

struct RunsStop: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stop",
    abstract: "Stop a run of this machine with a last checkpoint; the same command resumes it.",
    discussion: """
      Sends SIGTERM to the process that trains the run: 'mrdib train' or 'mrdib coordinator'. For \
      a run of another machine it says where to stop it.

        mrdib runs stop runs/one
      """)

  @Argument(help: "The directory of the run.", completion: .directory)
  var folder: String

  @Option(
    help: ArgumentHelp(
      "How long to wait for its end; 0: only ask it to stop.", valueName: "seconds"))
  var wait: Double = 60

  func validate() throws {
    guard wait >= 0, wait <= 1e6 else {
      throw ValidationError("--wait is \(wait); give a number of seconds from 0 to 1e6")
    }
  }

  func run() throws {
    try reporting {
      let found = try RunListing.run(in: folder)
      let hasEnded = try RunStop(of: found).request(waiting: wait)
      if hasEnded {
        StandardOutput.write("stopped; the same command resumes the run")
      } else if wait == 0 {
        StandardOutput.write("asked to stop; 'mrdib runs show' says when it has ended")
      } else {
        throw RuntimeError(
          exitCode: .transient,
          message:
            "The run in '\(folder)' was asked to stop and has not ended within \(Int(wait)) s; "
            + "it may still be writing a checkpoint. Look again with 'mrdib runs show'.")
      }
    }
  }
}
