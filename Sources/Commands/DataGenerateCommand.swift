import ArgumentParser
import Datasets
import Foundation

struct DataGenerateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Generate a data set with known unique, shared and synergistic information.",
    discussion: """
      truth.json in the folder describes the planted information. The same command
      continues a large generation that was ended at any moment.

        mrdib data generate --out generated --users 600 --items 800
        mrdib data generate --out large --users 1000000 --items 100000 --half-features
        mrdib data generate --out generated --shared-nats 0.3 --synergy-nats 0.1
      """)

  @Option(help: ArgumentHelp("Where to write.", valueName: "folder"), completion: .directory)
  var out: String

  @Option(help: "Number of users (default: \(standard.users)).") var users: Int?
  @Option(help: "Number of items (default: \(standard.items)).") var items: Int?
  @Option(help: "Interactions per user (default: \(standard.interactionsPerUser)).")
  var interactions: Int?
  @Option(
    help: """
      Items that a user chooses among where there are more: those that the user is offered \
      (default: \(standard.candidates)).
      """)
  var candidates: Int?
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
  @OptionGroup(title: "Information in nats per choice, in place of weights")
  var planted: PlantedOptions
  @Option(
    help: """
      Dimensions of pure noise in each modality (default: \(standard.visualNoiseDimensions) \
      visual, \(standard.textNoiseDimensions) text).
      """)
  var noiseDimensions: Int?
  @Option(
    help: """
      Columns of the visual features, the rest of them noise (default: \(standard.visualColumns)).
      """)
  var visualDimensions: Int?
  @Option(
    help: """
      Columns of the text features, the rest of them noise (default: \(standard.textColumns)).
      """)
  var textDimensions: Int?
  @Flag(help: "Write features in half precision (default: in 32 bits).")
  var halfFeatures = false
  @Option(help: "Seed of all random numbers (default: \(standard.seed)).") var seed: Int?
  @Flag(name: .shortAndLong, help: "Show no progress.") var quiet = false
  @OptionGroup var computing: ComputingOptions

  private static let standard = SyntheticConfiguration()

  func validate() throws {
    if let seed, seed < 0 {
      throw ValidationError("--seed is \(seed); expected a whole number of at least 0.")
    }
    if noiseDimensions != nil, visualDimensions != nil || textDimensions != nil {
      throw ValidationError(
        "Give --noise-dimensions, or --visual-dimensions and --text-dimensions: both say how many "
          + "columns of noise there are.")
    }
    if planted.isGiven, [shared, uniqueVisual, uniqueText, synergy].contains(where: { $0 != nil }) {
      throw ValidationError(
        "Options of weights and of nats exclude each other: give --shared, --unique-visual, "
          + "--unique-text and --synergy, or the same with -nats.")
    }
  }

  func run() throws {
    try reporting {
      var configuration = SyntheticConfiguration()
      configuration.users = users ?? configuration.users
      configuration.items = items ?? configuration.items
      configuration.interactionsPerUser = interactions ?? configuration.interactionsPerUser
      configuration.candidates = candidates ?? configuration.candidates
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
      if planted.isGiven { try configuration.plant(planted.information) }
      configuration.visualNoiseDimensions =
        noiseDimensions ?? configuration.visualNoiseDimensions
      configuration.textNoiseDimensions = noiseDimensions ?? configuration.textNoiseDimensions
      if let visualDimensions {
        configuration.visualNoiseDimensions += visualDimensions - configuration.visualColumns
      }
      if let textDimensions {
        configuration.textNoiseDimensions += textDimensions - configuration.textColumns
      }
      if halfFeatures { configuration.halfFeatures = true }
      computing.startLanes()
      let progress = try StageProgress(
        isQuiet: quiet, consequence: "no file was completed; the same command continues")
      try progress.run {
        try SyntheticData.generate(configuration, to: out) { stage, share throws(DatasetError) in
          do {
            try progress.report(stage, share: share)
          } catch {
            // The progress turns this into its own message and exit code.
            throw DatasetError(.changed, path: out, "was stopped")
          }
        }
      }
      StandardOutput.write(out)
    }
  }
}

/// How much of each kind of information is planted.
struct PlantedOptions: ParsableArguments {
  @Option(help: "Information that both modalities hold (default: none).") var sharedNats: Float?
  @Option(help: "Information in the visual modality only (default: none).")
  var uniqueVisualNats: Float?
  @Option(help: "Information in the text modality only (default: none).")
  var uniqueTextNats: Float?
  @Option(help: "Information in the combination only (default: none).")
  var synergyNats: Float?

  var isGiven: Bool {
    [sharedNats, uniqueVisualNats, uniqueTextNats, synergyNats].contains { $0 != nil }
  }

  var information: PlantedInformation {
    PlantedInformation(
      shared: sharedNats ?? 0, uniqueVisual: uniqueVisualNats ?? 0,
      uniqueText: uniqueTextNats ?? 0, synergy: synergyNats ?? 0)
  }
}
