import ArgumentParser
import DataPreparation
import Datasets
import Foundation
import Runtime

struct DataFeaturesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "features",
    abstract: "Add item features to a data set, matched by the ids of the items.",
    discussion: """
      The rows may have any order, and some items may have none: a mask records which. Read are \
      CSV, TSV and other text with an id and numbers in each line, JSON lines such as \
      {"id": "B00", "embedding": [0.1, 0.2]}, NumPy's npy (with --ids) and npz (arrays 'ids' and \
      'embeddings', or FILE.npz:ARRAY), and safetensors (a matrix with --ids, or a vector per id). \
      Without any ids, row n is the item with the number n.

        mrdib data features shop --add text=embeddings.csv
        mrdib data features shop --add visual=images.npy --ids images.txt --out shop-both
      """)

  @Argument(help: "The data set's folder.", completion: .directory)
  var folder: String

  @Option(
    help: ArgumentHelp(
      "The name of a modality and the file of its features; may be repeated.",
      valueName: "name=file"))
  var add: [String]

  @Option(
    help: ArgumentHelp(
      "For npy, npz and safetensors: the ids of the rows, one per line, or an npy array. For the "
        + "--add at the same place, if there are several (default: those that the file has).",
      valueName: "file"), completion: .file())
  var ids: [String] = []

  @Option(help: "What items without features get: zero, or the mean of the others (mean).")
  var fill = FeatureFill.zero

  @Option(
    help: ArgumentHelp(
      "Make a copy of the folder with the features (default: they are added in place).",
      valueName: "folder"), completion: .directory)
  var out: String?

  @Flag(help: "Replace features of the same name, and the folder of --out if it has files.")
  var overwrite = false

  @Flag(name: .shortAndLong, help: "Show no progress.")
  var quiet = false

  func validate() throws { _ = try additions() }

  func run() throws {
    try reporting {
      let additions = try additions()
      let progress = try StageProgress(isQuiet: quiet)
      let reports = try progress.run {
        if let out {
          try FeatureAdder.add(
            additions, toCopyOf: folder, at: out, overwrites: overwrite, report: progress.report)
        } else {
          try FeatureAdder.add(
            additions, to: folder, replacesExisting: overwrite, report: progress.report)
        }
      }
      StandardOutput.write(reports.flatMap(\.lines))
      if !quiet { StandardError.write(NextCommand.after(preparing: out ?? folder)) }
    }
  }

  private func additions() throws -> [FeatureAddition] {
    try FeatureAddition.parse(add, option: "--add", ids: ids, fill: fill)
  }
}

extension FeatureFill: ExpressibleByArgument {}

extension FeatureAddition {
  /// Reads the values of an option `NAME=FILE`.
  ///
  /// - Parameter ids: none, or a list of ids for each value.
  static func parse(
    _ values: [String], option: String, ids: [String], fill: FeatureFill
  ) throws -> [FeatureAddition] {
    guard ids.isEmpty || ids.count == values.count else {
      throw ValidationError(
        "There are \(ids.count) --ids for \(values.count) \(option); name one list for each, or "
          + "add one modality at a time with mrdib data features.")
    }
    return try values.enumerated().map { index, text in
      guard let mark = text.firstIndex(of: "="), mark > text.startIndex,
        text.index(after: mark) < text.endIndex
      else {
        throw ValidationError(
          "\(option) is '\(text)'; expected the name of a modality and a file: "
            + "text=embeddings.npy.")
      }
      return FeatureAddition(
        modality: String(text[..<mark]), source: String(text[text.index(after: mark)...]),
        ids: ids.isEmpty ? nil : ids[index], fill: fill)
    }
  }
}
