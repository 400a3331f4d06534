import ArgumentParser
import Foundation
import Runtime

struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write a run's user and item vectors for other programs.",
    discussion: """
      If the folder of the data set has tables of original ids, they are written next to the \
      vectors as users.tsv and items.tsv: line n + 2 belongs to row n, counted from 0. export.json \
      says of which epoch and version the vectors are.

      The vectors are those of the best model, or with --checkpoint those of the run as it was \
      then. --since writes only the rows that have changed since the checkpoint of a version, with \
      their ids, for a serving store that follows a run: apply it to the vectors of that version, \
      and they are those of the version that export.json names.

        mrdib export --run runs/one --format faiss --out index
        mrdib export --run runs/one --checkpoint newest --out store
        mrdib export --run runs/one --since 118 --format csv --out changes
      """)

  @Option(
    name: .customLong("run"), help: ArgumentHelp("The run's directory.", valueName: "folder"),
    completion: .directory)
  var runDirectory: String

  @Option(help: ArgumentHelp(stringLiteral: ExportFormat.summary))
  var format = ExportFormat.npy

  @Option(
    help: ArgumentHelp("The folder to make.", valueName: "folder"), completion: .directory)
  var out: String

  @Flag(help: "Replace the folder if it holds an earlier export.")
  var overwrite = false

  @Option(help: "original: with the tables of original ids, where the data has them; or dense.")
  var ids = IdentifierStyle.original

  @Option(
    help: ArgumentHelp(
      "The vectors of a checkpoint: newest, or its version (default: those of the best model).",
      valueName: "version"),
    transform: { try ModelExport.Checkpoint(argument: $0) })
  var checkpoint: ModelExport.Checkpoint?

  @Option(
    help: ArgumentHelp(
      "Only rows that differ from the checkpoint of this version; as npy or csv (default: all "
        + "rows).", valueName: "version"))
  var since: UInt64?

  @Option(help: "Items of a list of --format trec (default: the largest cutoff of the run).")
  var top: Int?

  @OptionGroup var trained: TrainedDataOptions

  func validate() throws {
    if let top, top < 1 { throw ValidationError("--top is \(top); give at least 1.") }
    if top != nil, format != .trec { throw ValidationError("--top is for --format trec.") }
  }

  func run() throws {
    try reporting {
      var export = ModelExport(run: runDirectory, format: format)
      export.checkpoint = checkpoint
      export.since = since
      export.dataFolder = trained.data
      export.depth = top
      if ids == .original {
        let found = try OriginalIdentifiers.find(ofRun: runDirectory, moved: trained.data)
        if let note = found.note { StandardError.write("note: \(note)") }
        export.identifiers = found.identifiers
      }
      let (files, record) = try export.write(to: out, replacesExisting: overwrite)
      if record.isOfCheckpoint { StandardError.write(record.sentence) }
      StandardOutput.write(files)
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
extension TableFormat: ExpressibleByArgument {}
extension IdentifierStyle: ExpressibleByArgument {}

extension ModelExport.Checkpoint {
  init(argument: String) throws {
    if argument == "newest" {
      self = .newest
    } else if let version = UInt64(argument) {
      self = .version(version)
    } else {
      throw ValidationError("--checkpoint is '\(argument)'; give newest, or a version.")
    }
  }
}
