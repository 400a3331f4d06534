import ArgumentParser

struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "Make, check and describe data sets.",
    subcommands: [
      DataImportCommand.self, DataFeaturesCommand.self, DataSplitCommand.self,
      DataSubsetCommand.self, DataDisturbCommand.self, DataGenerateCommand.self,
      DataValidateCommand.self, DataStatsCommand.self, DataExportCommand.self,
    ])
}
