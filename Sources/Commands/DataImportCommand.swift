import ArgumentParser
import DataPreparation
import Datasets
import Foundation
import Runtime

extension SourceFormat: ExpressibleByArgument {}

struct DataImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Make a data set's folder from the files that you have.",
    discussion: """
      Reads CSV, TSV and other delimited text, JSON lines, RecBole's atomic files, MMRec's folders,
      train.json/val.json/test.json of LATTICE and MMSSL, ratings and reviews of Amazon 2014, 2018
      and 2023, lists of items by user (MicroLens, LightGCN, S3-Rec, SELFRec, CiteULike); plain, or
      packed with gzip or zstd. Ids of any kind are numbered; users.tsv and items.tsv have the
      original ones.

      Usual names of columns, in any spelling: user_id, customer_id, reviewer_id, member_id;
      item_id, product_id, asin, movie_id, book_id; rating, stars, overall, score; timestamp, time,
      date, created_at, and any other name with date, time or _at in it whose first value is a time.
      What is not used is listed.

        mrdib data import ratings.csv --items products.csv --out shop
        mrdib data import ratings.jsonl.gz --features text=embeddings.npz --out shop
      """)

  @Argument(help: "A file, or a folder with the files of a data set.", completion: .file())
  var source: String

  @Option(help: ArgumentHelp("The folder to make.", valueName: "folder"), completion: .directory)
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

  @Option(
    help: ArgumentHelp(
      "The column of items (default: one of the usual names).", valueName: "column"))
  var itemColumn: String?

  @Option(
    help: ArgumentHelp(
      "The column of ratings; 'none' for none (default: one of the usual names).",
      valueName: "column"))
  var ratingColumn: String?

  @Option(
    help: ArgumentHelp(
      """
      The column of times; 'none' for none, 'order' if the order of the rows is that in time \
      (default: one of the usual names).
      """,
      valueName: "column"))
  var timeColumn: String?

  @Flag(help: "The first line is data; columns are named by numbers.")
  var noHeader = false

  @Option(
    help: ArgumentHelp(
      "A file with titles, categories and texts of items (default: one next to the source, if its "
        + "format has one).", valueName: "file"), completion: .file())
  var items: String?

  @Option(
    help: ArgumentHelp(
      "The column of ids in --items (default: as in the interactions, or a usual name).",
      valueName: "column"))
  var itemIdColumn: String?

  @Option(
    help: ArgumentHelp(
      "The name of a modality and the file of its features, as for mrdib data features; may be "
        + "repeated (default: no features).", valueName: "name=file"))
  var features: [String] = []

  @Option(
    help: ArgumentHelp(
      "The ids of the rows of --features, one list for each (default: those that the file has).",
      valueName: "file"), completion: .file())
  var ids: [String] = []

  @Option(help: "What items without features get: zero, or the mean of the others (mean).")
  var fill = FeatureFill.zero

  @Flag(help: "Ids are whole numbers from 0 already; keep them.")
  var keepIds = false

  @Flag(help: "Leave out lines that cannot be read, and say how many.")
  var skipDamaged = false

  @Flag(help: "Replace a folder that is there.")
  var overwrite = false

  @Flag(name: .shortAndLong, help: "Only warnings and errors on stderr.")
  var quiet = false

  func validate() throws { _ = try additions() }

  func run() throws {
    try reporting {
      var options = DataImport.Options(source: source, out: out)
      options.format = format
      let columns: [(ColumnRole, String?)] = [
        (.user, userColumn), (.item, itemColumn), (.rating, ratingColumn), (.time, timeColumn),
      ]
      for (role, name) in columns { options.columns.names[role] = name }
      options.hasHeader = noHeader ? false : nil
      options.items = items
      options.itemIDColumn = itemIdColumn
      options.keepsIDs = keepIds
      options.skipsDamaged = skipDamaged
      options.replacesExisting = overwrite
      let additions = try additions()
      let progress = try StageProgress(isQuiet: quiet)
      let (summary, features) = try progress.run {
        try DataImport.run(
          options, features: additions, observer: progress, report: progress.report)
      }
      report(summary, features)
    }
  }

  /// Prints what was made and what can be done with it.
  private func report(_ summary: DataImport.Summary, _ features: [FeatureReport]) {
    var line =
      "\(out): \(ProgressFormat.count(summary.rowsWritten, "interaction")) of "
      + "\(ProgressFormat.count(summary.userCount, "user")) and "
      + ProgressFormat.count(summary.itemCount, "item")
    if summary.damagedRows > 0 {
      line += "; \(ProgressFormat.count(summary.damagedRows, "damaged line")) left out"
    }
    StandardOutput.write([line] + features.flatMap(\.lines))
    if !quiet {
      StandardError.write(NextCommand.after(preparing: out, isSplit: summary.hasSplit))
    }
  }

  private func additions() throws -> [FeatureAddition] {
    try FeatureAddition.parse(features, option: "--features", ids: ids, fill: fill)
  }
}
