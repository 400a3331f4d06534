import ArgumentParser
import DataPreparation
import Datasets

struct DataStatsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stats", abstract: "Print the numbers of a data set.",
    discussion: """
        mrdib data stats shop
        mrdib data stats shop --json
      """)

  @Argument(help: "The data set's folder.", completion: .directory)
  var folder: String

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    try reporting {
      if (try? DatasetDescription.isSplit(folder: folder)) == false {
        let statistics = try UnsplitStatistics(folder: folder)
        if json { return try StandardOutput.writeJSON(statistics) }
        StandardOutput.write(statistics.lines)
        return StandardError.write(NextCommand.after(preparing: folder, isSplit: false))
      }
      let validation = DatasetValidation.validate(folder: folder, limit: 1)
      guard let statistics = validation.statistics else {
        for problem in validation.problems { throw problem }
        return
      }
      for file in statistics.unusedFeatureFiles {
        StandardError.write("warning: \(DatasetStatistics.unusedWarning(file))")
      }
      if json { return try StandardOutput.writeJSON(statistics) }
      StandardOutput.write(statistics.lines)
    }
  }
}
