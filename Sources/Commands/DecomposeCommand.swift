import ArgumentParser
import Experiments
import Runtime

struct DecomposeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "decompose",
    abstract: "Measure what each modality of a run says about held-out choices, in nats.",
    discussion: """
      For each modality: the information alone. For each pair: what only one has, what both \
      repeat, and what only their combination says; and how much the vectors themselves share. \
      Predictors of which item a user took are fitted to the training interactions by the vectors \
      of one or two modalities, and measured on the test interactions with items that they were \
      not fitted on. Intervals are the middle 95 % over resamples of users.

        mrdib decompose runs/one
        mrdib decompose runs/one --before --json > before.json
        mrdib decompose --features --data lfm2k
      """)

  @Argument(
    help: ArgumentHelp(
      "The run's directory (default: none, with --features and --data).", valueName: "run"),
    completion: .directory)
  var runDirectory: String?

  @Flag(help: "Measure the same model before training.")
  var before = false

  @Flag(help: "Measure the features of the data set, without a model.")
  var features = false

  @Option(help: "test or valid.")
  var split = Split.test

  @Option(help: "Seed of all random numbers.")
  var seed = 1

  @Flag(help: "Print JSON.")
  var json = false

  @Flag(help: "Show no progress.")
  var quiet = false

  @OptionGroup var trained: TrainedDataOptions

  func validate() throws {
    if before, features { throw ValidationError("--before and --features exclude each other.") }
    if seed < 0 {
      throw ValidationError("--seed is \(seed); expected a whole number of at least 0.")
    }
    if runDirectory == nil, !features || trained.data == nil {
      throw ValidationError("Name a run, or the data set with --features --data FOLDER.")
    }
  }

  func run() throws {
    try reporting {
      let stage: RunCodes.Stage = features ? .features : before ? .initial : .trained
      let input =
        if let runDirectory {
          try RunCodes(run: runDirectory, stage: stage, dataFolder: trained.data)
        } else {
          try RunCodes(features: trained.data ?? "")
        }
      let progress = try StageProgress(isQuiet: quiet)
      let report = try progress.run {
        try DecompositionReport(
          input, stage: stage, subject: "'\(runDirectory ?? trained.data ?? "")'", split: split,
          seed: seed,
          progress: progress.report)
      }
      if json { return try StandardOutput.writeJSON(report) }
      StandardOutput.write(report.lines)
    }
  }
}
