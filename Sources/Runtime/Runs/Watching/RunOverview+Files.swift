import Configuration
import Coordinator
import Datasets
import Files
import Foundation
import Recommenders
import Settings

extension RunOverview {
  /// What the files of a run show, whether its process is alive, dead, or finished.
  ///
  /// - Returns: the overview, without nodes, and the run's settings.
  /// - Throws: ``RuntimeError`` if the folder holds no run; `CoordinationError` or
  ///   `ConfigurationError` if its records cannot be read.
  package static func read(
    _ directory: RunDirectory, now: Date = Date()
  ) throws -> (overview: RunOverview, configuration: RunConfiguration) {
    guard FileManager.default.fileExists(atPath: directory.storePath) else {
      throw RuntimeError(
        exitCode: .inputMissing,
        message: "Cannot show the status of '\(directory.path)': the folder holds no run that was "
          + "begun. Name the directory of a run.")
    }
    guard let run = try RunStore.look(at: directory.storePath) else {
      throw RuntimeError(
        exitCode: .inputMissing,
        message: "Cannot show the status of '\(directory.path)': no run was begun in it yet. Try "
          + "again, or name the directory of a run.")
    }
    let configuration = try ConfigurationResolver(modelNames: ModelRegistry.names).resolve(
      layers: [ConfigurationLayer(yaml: run.identity.configuration, label: "the run's records")])
    return (RunOverview(run, configuration, in: directory, now: now), configuration)
  }

  private init(
    _ run: StoredRun, _ configuration: RunConfiguration, in directory: RunDirectory, now: Date
  ) {
    let finished = run.progress.epochsFinished
    let state = RunState(inFolder: directory.path, ended: RunState(ended: run.progress.status))
    let selection = run.selection(by: configuration.selectionRule)
    let epochs = RunOverview.epochs(of: run)
    let seconds = epochs.last.map { $0.at + ($0.evaluateSeconds ?? 0) } ?? 0
    var events = EventLog.read(directory.eventsPath)
    if events.isEmpty { events = Self.checkpointEvents(of: run) }
    self.init(
      time: now.ISO8601Format(), run: Description(run, configuration, in: directory), state: state,
      message: run.message.withoutControlCharacters(),
      position: Position(epoch: finished, epochsFinished: finished),
      timeLeft: nil, elapsedSeconds: seconds, selection: Selection(selection),
      epochs: RunOverview.thinned(epochs, best: selection.best?.epoch), modalities: [], pairs: [],
      gate: nil, nodes: [], events: events)
    setGauges(from: epochs.last)
    if let last = epochs.last, last.trainSeconds > 0 { setPace(run, configuration, seconds) }
  }

  /// The time left of a run under way, at the mean pace of the epochs that are recorded.
  private mutating func setPace(
    _ run: StoredRun, _ configuration: RunConfiguration, _ seconds: Double
  ) {
    guard !state.isOver else { return }
    let finished = run.progress.epochsFinished
    let plan = ProgressPlan(
      evaluations: configuration.evaluationSchedule, selection: configuration.selectionRule,
      workerCount: UInt32(configuration.cluster.workers), examplesPerEpoch: 0)
    var forecast = StoppingForecast(plan, selection: run.selection(by: plan.selection))
    forecast.begin(run.evaluations.last.map { $0.epoch + 1 } ?? 0)
    let left = forecast.epochsLeft(after: Double(finished))
    let pace = seconds / Double(max(1, finished))
    timeLeft = TimeLeft(left.lowerBound * pace...left.upperBound * pace)
  }

  /// The newest checkpoints by the records, for a run without a log of events.
  private static func checkpointEvents(of run: StoredRun) -> [Event] {
    guard let first = run.epochs.first, first.version > 0 else { return [] }
    let versions = Double(first.version) / Double(first.epoch + 1)
    var events = ObservedEvents()
    for checkpoint in run.checkpoints {
      let position = Double(checkpoint.version) / versions
      events.add(
        Event(
          time: checkpoint.created, at: seconds(at: position, of: run.epochs),
          position: position, kind: "checkpoint", severity: .info,
          text: "checkpoint of version \(checkpoint.version) complete"))
    }
    return events.all
  }

  /// Training time until a position on the axis of the epochs.
  private static func seconds(at position: Double, of epochs: [EpochSummary]) -> Double {
    epochs.reduce(0) { $0 + $1.seconds * min(1, max(0, position - Double($1.epoch))) }
  }
}

extension RunOverview.Description {
  /// A run that is open for training.
  init(_ setup: RunSetup, _ plan: RunPlan, in directory: RunDirectory, created: String) {
    self.init(
      setup.configuration, id: plan.runID, dataset: setup.dataset.name, in: directory,
      created: created)
  }

  fileprivate init(
    _ run: StoredRun, _ configuration: RunConfiguration, in directory: RunDirectory
  ) {
    struct Summary: Decodable { var dataset: String }
    let written = (try? RunSummary.contents(in: directory)).flatMap {
      try? JSONDecoder().decode(Summary.self, from: Data($0)).dataset
    }
    let folder = URL(fileURLWithPath: configuration.data.folder).lastPathComponent
    self.init(
      configuration, id: run.identity.id, dataset: written ?? folder, in: directory,
      created: run.identity.created)
  }

  private init(
    _ configuration: RunConfiguration, id: String, dataset: String, in directory: RunDirectory,
    created: String
  ) {
    let name = URL(fileURLWithPath: FilePath.absolute(directory.path)).lastPathComponent
    self.init(
      id: id, name: name.sanitized(), model: configuration.model.model,
      dataset: dataset.sanitized(), objective: configuration.model.objective.rawValue,
      seed: UInt64(configuration.training.seed), created: created,
      epochs: UInt32(configuration.training.epochs),
      shards: UInt32(configuration.training.shards),
      workers: UInt32(configuration.cluster.workers),
      servers: UInt32(configuration.cluster.servers))
  }
}

extension StoredRun {
  /// The best epoch and the evaluations since, as the coordinator counts them.
  fileprivate func selection(by rule: SelectionRule) -> ModelSelection {
    var selection = ModelSelection(rule: rule)
    for evaluation in evaluations {
      guard let value = evaluation.metrics[rule.metric] else { continue }
      _ = selection.consider(value, epoch: evaluation.epoch, version: evaluation.version)
    }
    return selection
  }
}

extension RunConfiguration {
  /// When the model is evaluated.
  fileprivate var evaluationSchedule: EvaluationSchedule {
    EvaluationSchedule(
      epochs: UInt32(self.training.epochs), interval: UInt32(self.selection.evaluationInterval))
  }
}
