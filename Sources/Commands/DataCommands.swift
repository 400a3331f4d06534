import ArgumentParser
import Datasets
import Foundation
import Runtime

struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "Make, check and describe data sets.",
    subcommands: [
      DataImport.self, DataFeaturesCommand.self, DataSplitCommand.self, DataSubsetCommand.self,
      DataGenerate.self, DataValidate.self, DataStats.self,
    ])
}

struct DataGenerate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Generate a data set with known unique, shared and synergistic information.",
    discussion: "truth.json in the folder describes the planted information.")

  @Option(help: ArgumentHelp("Where to write.", valueName: "folder"))
  var out: String

  @Option(help: "Number of users (default: \(standard.users)).") var users: Int?
  @Option(help: "Number of items (default: \(standard.items)).") var items: Int?
  @Option(help: "Interactions per user (default: \(standard.interactionsPerUser)).")
  var interactions: Int?
  @Option(
    help: """
      Dimensions of each kind of planted information (default: \(standard.shared.dimensions)).
      """)
  var dimensions: Int?
  @Option(
    help: """
      Weight of the information that both modalities share (default: \(standard.shared.weight)).
      """)
  var shared: Float?
  @Option(
    help: """
      Weight of the information in the visual modality only (default: \
      \(standard.uniqueVisual.weight)).
      """)
  var uniqueVisual: Float?
  @Option(
    help: """
      Weight of the information in the text modality only (default: \(standard.uniqueText.weight)).
      """)
  var uniqueText: Float?
  @Option(
    help: """
      Weight of the information in the combination only (default: \(standard.synergy.weight)).
      """)
  var synergy: Float?
  @Option(
    help: """
      Dimensions of pure noise in each modality (default: \(standard.visualNoiseDimensions) \
      visual, \(standard.textNoiseDimensions) text).
      """)
  var noiseDimensions: Int?
  @Option(help: "Seed of all random numbers (default: \(standard.seed)).") var seed: Int?

  private static let standard = SyntheticConfiguration()

  func validate() throws {
    if let seed, seed < 0 {
      throw ValidationError("--seed is \(seed); expected a whole number of at least 0.")
    }
  }

  func run() throws {
    try reporting {
      var configuration = SyntheticConfiguration()
      configuration.users = users ?? configuration.users
      configuration.items = items ?? configuration.items
      configuration.interactionsPerUser = interactions ?? configuration.interactionsPerUser
      configuration.seed = seed.map { UInt64($0) } ?? configuration.seed
      configuration.shared.weight = shared ?? configuration.shared.weight
      configuration.uniqueVisual.weight = uniqueVisual ?? configuration.uniqueVisual.weight
      configuration.uniqueText.weight = uniqueText ?? configuration.uniqueText.weight
      configuration.synergy.weight = synergy ?? configuration.synergy.weight
      if let dimensions {
        configuration.shared.dimensions = dimensions
        configuration.uniqueVisual.dimensions = dimensions
        configuration.uniqueText.dimensions = dimensions
        configuration.synergy.dimensions = dimensions
      }
      configuration.visualNoiseDimensions =
        noiseDimensions ?? configuration.visualNoiseDimensions
      configuration.textNoiseDimensions = noiseDimensions ?? configuration.textNoiseDimensions
      try SyntheticData.generate(configuration, to: out)
      StandardOutput.write(out)
    }
  }
}

struct DataValidate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "validate", abstract: "Check a data set and list all problems.")

  @Argument(help: "The data set's folder.")
  var folder: String

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    try reporting {
      let validation = DatasetValidation.validate(folder: folder)
      if json {
        try StandardOutput.writeJSON(ValidationReport(validation, folder: folder))
      } else {
        show(validation)
      }
      guard validation.isUsable else {
        throw ArgumentParser.ExitCode(Runtime.ExitCode.dataMalformed.rawValue)
      }
    }
  }

  private func show(_ validation: DatasetValidation) {
    for problem in validation.problems { StandardError.write("error: \(problem)") }
    if validation.isCutShort { StandardError.write("there are more problems; fix these first") }
    if !validation.isUsable, validation.isUsableWithoutFeatures {
      StandardError.write("models without features, such as bpr, can be trained in spite of that")
    }
    for warning in validation.warnings { StandardError.write("warning: \(warning)") }
    if validation.isUsable { StandardOutput.write("'\(folder)' can be trained on") }
  }
}

struct DataStats: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stats", abstract: "Print the numbers of a data set.")

  @Argument(help: "The data set's folder.")
  var folder: String

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    try reporting {
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
