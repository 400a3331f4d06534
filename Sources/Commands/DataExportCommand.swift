import ArgumentParser
import DataPreparation
import Runtime

struct DataExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write a data set for another program: RecBole or MMRec.",
    discussion: """
      recbole: atomic files with original ids, titles and features, three of them for training, \
      validation and test if the folder is split, and recbole.yaml for config_file_list. mmrec: \
      NAME.inter with x_label, features, tables of ids, and mmrec.yaml for configs/dataset. Files \
      are named like the folder.

        mrdib data export shop --format recbole --out recbole/shop
      """)

  @Argument(help: "The data set's folder.", completion: .directory)
  var folder: String

  @Option(help: "recbole or mmrec.")
  var format: DataExport.Format

  @Option(help: ArgumentHelp("The folder to make.", valueName: "folder"), completion: .directory)
  var out: String

  @Flag(help: "Replace the folder if it holds an earlier export.")
  var overwrite = false

  @Flag(name: .shortAndLong, help: "Show no progress.")
  var quiet = false

  func run() throws {
    try reporting {
      let progress = try StageProgress(isQuiet: quiet)
      let (files, notes) = try progress.run {
        try DataExport(format).run(
          folder: folder, to: out, replacesExisting: overwrite, report: progress.report)
      }
      notes.forEach(StandardError.write)
      StandardOutput.write(files.map { "\(out)/\($0)" })
    }
  }
}

extension DataExport.Format: ExpressibleByArgument {}
