internal import Configuration
internal import Datasets
package import Experiments
internal import Files
internal import Recommenders
internal import Runtime
internal import Settings
internal import Tensors

/// A report on one run.
package struct RunReport: Sendable {
  /// What is asked for.
  package struct Request: Sendable {
    /// The run's directory.
    package var run: String
    /// The title; nil: model, objective and data set.
    package var title: String?
    /// Where the data is, if it was moved after training.
    package var dataFolder: String?
    /// Decompositions that were made before.
    package var decompositions: [DecompositionReport] = []
    /// Whether the run is decomposed before and after training.
    package var decomposes = false
    /// Whether recommendations to single users are shown.
    package var showsUsers = true
    /// Of the program.
    package var version: String
    /// Makes one word of a shell's command of a text.
    package var quote: @Sendable (String) -> String

    package init(run: String, version: String, quote: @escaping @Sendable (String) -> String) {
      self.run = run
      self.version = version
      self.quote = quote
    }
  }

  package let page: ReportPage
  /// Why parts are missing, as sentences.
  package let problems: [String]

  /// - Parameter progress: called with what is done and the share of it that is; throws to stop.
  /// - Throws: errors with a sentence when the folder holds no run, its records are damaged, or a
  ///   data folder was named that is not the run's; what `progress` throws.
  package init(
    _ request: Request, progress: (_ stage: String, _ share: Double?) throws -> Void
  ) throws {
    try progress("reading the run", nil)
    let records = try RunRecords(run: request.run)
    try Self.check(request.decompositions, records)
    var parts = Parts()
    var sections: [ReportSection?] = [MetricSection.make(records)] + CurveSection.make(records)
    var model: TrainedModel?
    if records.bestEpoch != nil {
      if request.dataFolder != nil {
        // A folder that was named is a request, not a place to try.
        model = try TrainedModel(run: request.run, dataFolder: request.dataFolder)
      } else {
        model = try parts.attempt("reading the model", progress) {
          try TrainedModel(run: request.run, dataFolder: nil)
        }
      }
    }
    if let model {
      sections += try parts.sections(of: model, records, request, progress)
    } else {
      sections.append(DecompositionSection.make(request.decompositions))
    }
    sections.append(ConfigurationSection.make(records))
    sections += OriginSection.make(records, quote: request.quote)
    problems = parts.problems
    page = ReportPage(
      title: request.title ?? Self.title(records), subtitle: records.state,
      introduction: Self.introduction(records, model, problems),
      sections: sections.compactMap { $0 },
      footer: "Made by mrdib report \(request.version) from \(request.run). One file, without"
        + " scripts; nothing is loaded from elsewhere.")
  }

  /// - Throws: ``ReportError`` for a decomposition of other data or another model, or for several
  ///   that cannot be in one chart.
  private static func check(
    _ decompositions: [DecompositionReport], _ records: RunRecords
  ) throws {
    let dataset = records.ending?.result.dataset
    for report in decompositions {
      guard dataset == nil || report.dataset == dataset else {
        throw ReportError(
          .usage,
          "Cannot use a decomposition on '\(report.dataset.sanitized(atMost: 64))' in a report on"
            + " '\(records.path)', which was trained on '\(dataset ?? "")': make it again with"
            + " mrdib decompose --json.")
      }
      guard report.split == decompositions[0].split else {
        throw ReportError(
          .usage,
          "Cannot show decompositions of test and of valid in one report: make them again with one"
            + " --split.")
      }
      let isOfModel = report.codes == .features || report.model == records.model
      let isOfEpoch = report.codes != .trained || report.epoch == records.bestEpoch
      guard isOfModel, isOfEpoch else {
        throw ReportError(
          .usage,
          "Cannot use a decomposition of \(report.model), epoch \(report.epoch ?? 0), in a report"
            + " on '\(records.path)', which is of \(records.model) with best epoch"
            + " \(records.bestEpoch ?? 0): make it again with mrdib decompose --json.")
      }
    }
  }

  private static func title(_ records: RunRecords) -> String {
    let objective = records.configuration.model.objective == .mrdib ? " with MRdIB" : ""
    let dataset = records.ending?.result.dataset ?? name(of: records.configuration.data.folder)
    return "\(records.model)\(objective) on \(dataset)"
  }

  private static func name(of folder: String) -> String {
    folder.split(separator: "/").last.map(String.init) ?? "its data"
  }

  private static func introduction(
    _ records: RunRecords, _ model: TrainedModel?, _ problems: [String]
  ) -> HTML {
    var facts = FactList()
    facts.add("model", records.model)
    facts.add("data set", records.ending?.result.dataset ?? model?.dataset.name)
    if let dataset = model?.dataset {
      facts.add(
        "users, items",
        "\(Numbers.count(dataset.userCount)), \(Numbers.count(dataset.itemCount))")
      facts.add(
        "interactions for training, validation, test",
        [dataset.trainUsers.count, dataset.valid.columns.count, dataset.test.columns.count]
          .map(Numbers.count).joined(separator: ", "))
      facts.add("modalities", dataset.features.map(\.name).joined(separator: ", "))
    }
    facts.add("best epoch", records.bestEpoch.map { "\($0)" })
    facts.add(
      "\(records.selectionMetric), validation",
      records.valid[records.selectionMetric].map(Numbers.metric))
    facts.add(
      "\(records.selectionMetric), test",
      records.test[records.selectionMetric].map(Numbers.metric))
    facts.add("trainable numbers", records.ending.map { Numbers.count($0.result.parameterCount) })
    facts.add("seed", "\(records.configuration.training.seed)")
    facts.add(
      "time", records.ending?.result.seconds["total"].map { ProgressFormat.duration($0) })
    facts.add("begun", records.ending?.created ?? records.environment?.started)
    return HTML([
      HTML.paragraph {
        HTML.element("b") { "Objective. " }
        "\(ObjectiveWords.sentence(records.configuration))"
      },
      facts.html,
      records.isFinished
        ? HTML()
        : .paragraph("warning") {
          "This run is not finished: its results may still change."
            + (records.bestEpoch == nil
              ? " No model is saved yet, so everything that needs one is missing." : "")
            + (records.ending.map { " \($0.message)" } ?? "")
        },
      HTML(problems.map { problem in .paragraph("warning") { "Missing: \(problem)" } }),
    ])
  }
}

/// Makes parts that may be impossible for a run, such as those that need features.
private struct Parts {
  typealias Progress = (_ stage: String, _ share: Double?) throws -> Void

  private(set) var problems: [String] = []

  /// The result of some work, or nil with its error among ``problems``.
  ///
  /// - Throws: what `progress` throws: a stop is no problem of the run.
  mutating func attempt<Result>(
    _ stage: String, _ progress: Progress, _ work: () throws -> Result?
  ) throws -> Result? {
    try progress(stage, nil)
    do {
      return try work()
    } catch {
      try progress(stage, nil)
      problems.append("\(error)")
      return nil
    }
  }

  mutating func sections(
    of model: TrainedModel, _ records: RunRecords, _ request: RunReport.Request,
    _ progress: Progress
  ) throws -> [ReportSection?] {
    let stages: [RunCodes.Stage] = [.initial, .trained]
    let codes =
      model.dataset.features.isEmpty
      ? nil
      : try attempt("reading the vectors of modalities", progress) {
        try stages.map {
          try RunCodes(run: request.run, stage: $0, dataFolder: request.dataFolder)
        }
      }
    var decompositions = request.decompositions
    if request.decomposes, let codes {
      let made = try attempt("decomposing", progress) {
        try zip(stages, codes).map { stage, codes in
          try DecompositionReport(
            codes, stage: stage, subject: "'\(request.run)'", split: .test, seed: 1,
            progress: progress)
        }
      }
      decompositions += made ?? []
    } else if request.decomposes {
      problems.append(
        "a decomposition was asked for, and the model has no vectors of modalities to decompose.")
    }
    let names = ["before training", "after training"]
    let trained = codes?.last?.codes ?? []
    return [
      DecompositionSection.make(decompositions),
      try attempt("drawing maps", progress) {
        codes.flatMap { codes in
          MapSection.make(model, zip(names, codes).map { ($0, $1.codes) })
        }
      },
      try attempt("comparing items", progress) { NeighbourSection.make(model, trained) },
      request.showsUsers
        ? try attempt("recommending", progress) { try RecommendationSection.make(model) } : nil,
      try attempt("recommending to all users", progress) {
        CatalogueSection.make(
          try CatalogueUse(model) { try progress("recommending to all users", $0) })
      },
      try attempt("measuring groups", progress) {
        try GroupSection.make(records, dataFolder: request.dataFolder)
      },
    ]
  }
}
