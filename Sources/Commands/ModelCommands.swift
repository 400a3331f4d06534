import ArgumentParser
import Foundation
import Runtime

struct RecommendCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "recommend", abstract: "Print the best items for a user, by a run's best model.")

  @Option(name: .customLong("run"), help: ArgumentHelp("The run's directory.", valueName: "folder"))
  var runDirectory: String

  @Option(help: "The user's id.")
  var user: Int

  @Option(help: "How many items.")
  var top = 10

  @Flag(help: "Include items that the user has in the training data.")
  var includeSeen = false

  @Option(
    help: ArgumentHelp(
      "The data set's folder, if it was moved after training.", valueName: "folder"))
  var data: String?

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    try reporting {
      let answer = try Recommendation.make(
        run: runDirectory, user: user, count: top, includesSeen: includeSeen, dataFolder: data)
      for warning in answer.warnings { StandardError.write("warning: \(warning)") }
      if json { return try StandardOutput.writeJSON(answer) }
      StandardOutput.write(
        ["rank\titem\tscore"]
          + answer.items.enumerated().map { "\($0 + 1)\t\($1.item)\t\($1.score)" })
    }
  }
}

struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write a run's best user and item vectors for other programs.")

  @Option(name: .customLong("run"), help: ArgumentHelp("The run's directory.", valueName: "folder"))
  var runDirectory: String

  @Option(help: "npy (user.npy, item.npy) or safetensors (embeddings.safetensors).")
  var format = ExportFormat.npy

  @Option(help: ArgumentHelp("Where to write.", valueName: "folder"))
  var out: String

  func run() throws {
    try reporting {
      StandardOutput.write(try ModelExport.write(run: runDirectory, format: format, to: out))
    }
  }
}

extension ExportFormat: ExpressibleByArgument {}
