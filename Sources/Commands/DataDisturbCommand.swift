import ArgumentParser
import DataPreparation

struct DataDisturbCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "disturb",
    abstract: "Copy a data set with features that are exchanged, permuted or noisy.",
    discussion: """
      For experiments: what does a model make of features that say less than they should? \
      Interactions, labels and ids stay. In this order: items exchange their features (all \
      modalities together), rows of a modality are permuted, noise is added to all modalities. The \
      history in dataset.yaml gets a step 'disturb'.

        mrdib data disturb shop --out shop-noisy --noise 1
        mrdib data disturb shop --out shop-mixed --swap-share 0.3 --permute text
      """)

  @OptionGroup var options: DerivedFolderOptions

  @Option(
    help: ArgumentHelp(
      "A modality whose rows are permuted at random over its items; may be given several times "
        + "(default: none).",
      valueName: "modality"))
  var permute: [String] = []

  @Option(
    help: ArgumentHelp(
      "The share of the items that receive another item's features, such as 0.3 (default: none).",
      valueName: "share"))
  var swapShare: Double?

  @Option(
    help: ArgumentHelp(
      "Add normal noise with this multiple of each column's standard deviation (default: none).",
      valueName: "factor"))
  var noise: Double?

  func validate() throws {
    guard !permute.isEmpty || swapShare != nil || noise != nil else {
      throw ValidationError("Choose what to disturb with --permute, --swap-share or --noise.")
    }
    if let swapShare, !(swapShare > 0 && swapShare <= 1) {
      throw ValidationError("--swap-share is \(swapShare); expected a share above 0, at most 1.")
    }
    if let noise, !(noise > 0 && noise.isFinite) {
      throw ValidationError("--noise is \(noise); expected a number above 0.")
    }
  }

  func run() throws {
    try reporting {
      try options.run { progress in
        var disturbance = FeatureDisturbance(seed: UInt64(options.seed))
        disturbance.permuted = permute
        disturbance.swapShare = swapShare
        disturbance.noise = noise
        return try disturbance.run(
          folder: options.folder, to: options.out, replacesExisting: options.overwrite,
          report: progress.report)
      } summary: {
        ($0.lines, $0.isSplit)
      }
    }
  }
}
