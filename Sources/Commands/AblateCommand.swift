import ArgumentParser
import Configuration
import Datasets
import Experiments
import Recommenders
import Runtime
import Settings

struct AblateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ablate",
    abstract: "Train a configuration without each part of MRdIB, and print what each contributes.",
    discussion: """
      Trains these variants, each with every seed: the full model, without the bottleneck (alpha1 0
      and no noise), without redundancy (alpha2 0), without unique information (alpha3 0), with the
      bottleneck only, without the gate, and the plain backbone; where the ranking sees means, as in
      the gated form, also without the joint likelihood (synergy_weight 0), and with the joint
      likelihood alone. A variant that takes away what the full model does not have is left out. The
      table shows each variant's change against the full model with a 95 % interval and corrected
      p-values, as 'compare' does. Seeds on which a sweep or 'tune' of --search chose the settings
      are refused. The same command resumes an interrupted ablation.

      With --modalities the variants are instead the configuration with all modalities, without each
      one, and with the rows of each one permuted over the items; of three or more also each alone.
      What a model gains from a permuted modality is not information about items.

        mrdib ablate --data lfm2k --model vbpr --run ablations/vbpr
        mrdib ablate --data lfm2k --model vbpr --run ablations/content --modalities
        mrdib ablate --data lfm2k --model vbpr --run ablations/vbpr --seeds 1,2 --search sweeps/vbpr
      """)

  @OptionGroup var options: RunOptions
  @OptionGroup var sweep: SweepOptions
  @OptionGroup var search: SearchOptions
  @OptionGroup var table: TableOptions

  @Option(help: ArgumentHelp("Seeds, separated by commas.", valueName: "list"))
  var seeds = "999,1,2"

  @Option(
    name: .customLong("metric"),
    help: "A test metric; may be given several times (default: recall@20 and ndcg@20).")
  var metrics: [String] = []

  @Flag(help: "Take away modalities instead of parts of MRdIB.")
  var modalities = false

  func validate() throws { _ = try SeedList.parsing(seeds) }

  func run() throws {
    try reporting {
      let layers = try options.request().requestedLayers()
      let searchSeeds = try usedSearchSeeds(layers)
      let points = try points(layers)
      let (runner, folder) = try sweep.runner(
        options, name: options.experimentName("ablation", layers), expectedRuns: points.count)
      let runs = try runner.run(points)
      runner.endIfStopped()
      var compared = ComparedGroup.groups(runs, in: folder, label: Ablation.label)
      compared[0].searchSeeds = searchSeeds
      let report = try ComparisonReport(
        compared, metrics: metrics, split: .test,
        users: { try PerUserMetrics.load(run: $0.path, dataFolder: options.data) })
      try table.write(report, csv: report.csv, lines: report.lines)
      try runner.checkFailures(in: runs)
    }
  }

  private func points(_ layers: [ConfigurationLayer]) throws -> [SweepPoint] {
    let seeds = try SeedList.parsing(seeds)
    let request = options.request()
    guard modalities else {
      return try Ablation.points(base: layers, seeds: seeds) { try request.resolve($0) }
    }
    let input = try request.input(layers)
    guard ModelRegistry.needsFeatures(input.configuration.model.model) else {
      throw RuntimeError(
        exitCode: .configuration,
        message: "Cannot take modalities away from '\(input.configuration.model.model)': it reads "
          + "no item features. Choose a model that does.")
    }
    return try Ablation.modalityPoints(
      base: layers, modalities: input.dataset.usedModalities, seeds: seeds,
      model: ModelRegistry.named(input.configuration.model.model))
  }

  /// The seeds on which a search chose the full model.
  ///
  /// - Throws: ``RuntimeError`` if there are any and they may not be reported.
  private func usedSearchSeeds(_ layers: [ConfigurationLayer]) throws -> [Int] {
    let searches = try search.searches()
    guard !searches.isEmpty else { return [] }
    let full = try options.request().input(
      modalities ? layers : layers + Ablation.fullModel()
    ).configuration
    let used = try SeedList.parsing(seeds).filter(searches.seeds(thatChose: full).contains)
    try search.check(used, purpose: "ablate")
    return used
  }
}
