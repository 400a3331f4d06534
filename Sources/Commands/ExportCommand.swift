import ArgumentParser
import Foundation
import Runtime

struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write a run's best user and item vectors for other programs.",
    discussion: """
      If the folder of the data set has tables of original ids, they are written next to the \
      vectors as users.tsv and items.tsv: line n + 2 belongs to row n, counted from 0.

        mrdib export --run runs/one --out vectors
        mrdib export --run runs/one --format safetensors --out vectors
      """)

  @Option(
    name: .customLong("run"), help: ArgumentHelp("The run's directory.", valueName: "folder"),
    completion: .directory)
  var runDirectory: String

  @Option(help: "npy (user.npy, item.npy) or safetensors (embeddings.safetensors).")
  var format = ExportFormat.npy

  @Option(help: ArgumentHelp("Where to write.", valueName: "folder"), completion: .directory)
  var out: String

  @Option(help: "original: with the tables of original ids, where the data has them; or dense.")
  var ids = IdentifierStyle.original

  @OptionGroup var trained: TrainedDataOptions

  func run() throws {
    try reporting {
      var identifiers: OriginalIdentifiers?
      if ids == .original {
        let found = try OriginalIdentifiers.find(ofRun: runDirectory, moved: trained.data)
        if let note = found.note { StandardError.write("note: \(note)") }
        identifiers = found.identifiers
      }
      StandardOutput.write(
        try ModelExport.write(
          run: runDirectory, format: format, to: out, identifiers: identifiers))
    }
  }
}

/// Where the data of a finished run is.
struct TrainedDataOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The data set's folder, if it was moved after training (default: where it was).",
      valueName: "folder"), completion: .directory)
  var data: String?
}

extension ExportFormat: ExpressibleByArgument {}
extension IdentifierStyle: ExpressibleByArgument {}
