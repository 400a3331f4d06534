import ArgumentParser
import DataPreparation
import Datasets
import Foundation
import Runtime

extension SourceFormat: ExpressibleByArgument {}

struct DataImport: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Make a data set's folder from the files that you have.",
    discussion: """
      Reads CSV, TSV and other delimited text, JSON lines, RecBole's atomic files, MMRec's folders,
      train.json/val.json/test.json of LATTICE and MMSSL, ratings and reviews of Amazon 2014, 2018
      and 2023, and pairs of MicroLens; plain, or packed with gzip or zstd. Ids of any kind are
      numbered; users.tsv and items.tsv have the original ones.
      """)

  @Argument(help: "A file, or a folder with the files of a data set.")
  var source: String

  @Option(help: ArgumentHelp("The folder to make.", valueName: "folder"))
  var out: String

  @Option(
    help: ArgumentHelp(
      "How the source is written (default: found by its content).", valueName: "format"))
  var format: SourceFormat?

  @Option(
    help: ArgumentHelp(
      "The column of users: its name, or its number from 1 (default: one of the usual names).",
      valueName: "column"))
  var userColumn: String?

  @Option(help: ArgumentHelp("The column of items.", valueName: "column"))
  var itemColumn: String?

  @Option(help: ArgumentHelp("The column of ratings; 'none' for none.", valueName: "column"))
  var ratingColumn: String?

  @Option(help: ArgumentHelp("The column of times; 'none' for none.", valueName: "column"))
  var timeColumn: String?

  @Flag(help: "The first line is data; columns are named by numbers.")
  var noHeader = false

  @Option(
    help: ArgumentHelp(
      "A file with titles, categories and texts of items (default: one next to the source, if its "
        + "format has one).", valueName: "file"))
  var items: String?

  @Flag(help: "Ids are whole numbers from 0 already; keep them.")
  var keepIds = false

  @Flag(help: "Leave out lines that cannot be read, and say how many.")
  var skipDamaged = false

  @Flag(help: "Replace a folder that is there.")
  var overwrite = false

  @Flag(help: "Only warnings and errors on stderr.")
  var quiet = false

  func run() throws {
    try reporting {
      var options = DataPreparation.DataImport.Options(source: source, out: out)
      options.format = format
      let columns: [(ColumnRole, String?)] = [
        (.user, userColumn), (.item, itemColumn), (.rating, ratingColumn), (.time, timeColumn),
      ]
      for (role, name) in columns { options.columns.names[role] = name }
      options.hasHeader = noHeader ? false : nil
      options.items = items
      options.keepsIDs = keepIds
      options.skipsDamaged = skipDamaged
      options.replacesExisting = overwrite
      let observer = Observer(try SignalPipe.untilExit(), isQuiet: quiet)
      do {
        let summary = try DataPreparation.DataImport.run(options, observer: observer)
        observer.end()
        report(summary)
      } catch {
        observer.end()
        if let signal = observer.signal {
          StandardError.write("mrdib: the import was stopped; nothing was written")
          StandardOutput.leave(.signal(signal))
        }
        throw error
      }
    }
  }

  /// Prints what was made and what can be done with it.
  private func report(_ summary: DataPreparation.DataImport.Summary) {
    var line =
      "\(out): \(ProgressFormat.count(summary.rowsWritten, "interaction")) of "
      + "\(ProgressFormat.count(summary.userCount, "user")) and "
      + ProgressFormat.count(summary.itemCount, "item")
    if summary.damagedRows > 0 {
      line += "; \(ProgressFormat.count(summary.damagedRows, "damaged line")) left out"
    }
    StandardOutput.write(line)
    guard !quiet else { return }
    let folder = Self.word(out)
    StandardError.write(
      summary.hasSplit
        ? "next: mrdib train --data \(folder)"
        : "next: mrdib data split \(folder) --out \(Self.word(out + "-split"))")
  }

  /// A path as a word of a shell's command.
  private static func word(_ path: String) -> String {
    let isPlain = path.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"),
        UInt8(ascii: "."), UInt8(ascii: "/"):
        true
      default: false
      }
    }
    return isPlain ? path : "'\(path.replacing("'", with: "'\\''"))'"
  }

  /// Shows progress and notices, and stops the import when a signal arrives.
  private final class Observer: ImportObserver {
    private(set) var signal: Int32?
    private let signals: SignalPipe
    private let isQuiet: Bool
    private var progress: ByteProgress?

    init(_ signals: SignalPipe, isQuiet: Bool) {
      self.signals = signals
      self.isQuiet = isQuiet
      progress = ByteProgress(verb: "importing", isQuiet: isQuiet)
    }

    func noteProgress(_ position: Int, of size: Int) throws(DatasetError) {
      if let signal = signals.next() {
        self.signal = signal
        throw DatasetError(.changed, path: "import", "was stopped")
      }
      progress?.note(position, of: size)
    }

    func notify(_ line: String) {
      if !isQuiet { StandardError.write(line) }
    }

    func warn(_ line: String) { StandardError.write(line) }

    /// Ends the line of progress.
    func end() { progress = nil }
  }
}
