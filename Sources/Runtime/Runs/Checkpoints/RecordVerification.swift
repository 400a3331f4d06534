import Checkpoints
import Coordinator
import Datasets
import Files
import Foundation

/// Compares the records of a run (`run.sqlite`) with the other files of its directory.
package struct RecordVerification: Sendable, Encodable {
  /// How many epochs are recorded; nil if the records cannot be read.
  package let epochs: Int?
  /// The differences found; empty if there are none.
  package let problems: [String]

  /// A run that is training changes the records while they are compared: attempts before giving up.
  private static let tryLimit = 10

  /// nil if no run was begun in the directory.
  init?(run directory: RunDirectory, checkpoints: CheckpointStore) {
    do {
      try directory.checkRecordsAreThere()
      guard FileManager.default.fileExists(atPath: directory.storePath) else { return nil }
      let store = try RunStore(path: directory.storePath)
      defer { try? store.close() }
      guard var run = try store.load() else {
        try directory.checkNothingIsRecorded()
        return nil
      }
      var found = Self.problems(of: run, in: directory, checkpoints)
      for _ in 1..<Self.tryLimit where !found.isEmpty {
        guard let newer = try store.load(), newer != run else { break }
        run = newer
        found = Self.problems(of: run, in: directory, checkpoints)
      }
      (epochs, problems) = (run.epochs.count, found)
    } catch {
      (epochs, problems) = (nil, ["\(error)"])
    }
  }

  /// One line, or one for each problem.
  var lines: [String] {
    guard problems.isEmpty else { return problems.map { "records: \($0)" } }
    return ["records: good, \(ProgressFormat.count(epochs ?? 0, "epoch"))"]
  }

  private static func problems(
    of run: StoredRun, in directory: RunDirectory, _ checkpoints: CheckpointStore
  ) -> [String] {
    [
      BestModel.disagreement(with: run, in: directory), metricsProblem(of: run, in: directory),
      checkpointProblem(of: run, in: checkpoints),
    ].compactMap { $0 } + summaryProblems(of: run, in: directory)
  }

  // MARK: metrics.jsonl

  private static func metricsProblem(of run: StoredRun, in directory: RunDirectory) -> String? {
    let lines: [NSDictionary?]
    do {
      let file = try MappedFile(path: directory.metricsPath)
      lines = Data(file.bytes).split(separator: UInt8(ascii: "\n"))
        .map { try? JSONSerialization.jsonObject(with: Data($0)) as? NSDictionary }
    } catch {
      return error.description
    }
    let evaluations = Dictionary(
      run.evaluations.map { ($0.epoch, $0) }, uniquingKeysWith: { _, last in last })
    for (index, (line, epoch)) in zip(lines, run.epochs).enumerated() {
      // The last line may have been written without waiting for its evaluation.
      let isLast = index == run.epochs.count - 1
      let wanted = [evaluations[epoch.epoch]] + (isLast ? [nil] : [])
      guard wanted.contains(where: { line != nil && line == object(epoch, $0) }) else {
        return "line \(index + 1) of metrics.jsonl differs from epoch \(epoch.epoch) in run.sqlite"
      }
    }
    // The evaluation of the last epoch may still be running.
    let isPending = !RunSummary.isWritten(run.progress.status, in: directory)
    let least = run.epochs.count - (isPending || run.progress.status == .interrupted ? 1 : 0)
    guard lines.count >= least, lines.count <= run.epochs.count else {
      return "metrics.jsonl has \(ProgressFormat.count(lines.count, "epoch")), but run.sqlite has "
        + "\(run.epochs.count)"
    }
    return nil
  }

  private static func object(
    _ epoch: EpochSummary, _ evaluation: EvaluationSummary?
  ) -> NSDictionary? {
    guard let line = try? MetricsLog.line(of: epoch, evaluation: evaluation) else { return nil }
    return try? JSONSerialization.jsonObject(with: Data(line)) as? NSDictionary
  }

  // MARK: Checkpoints

  /// That a store is empty, or a checkpoint damaged, is reported by ``CheckpointVerification``.
  private static func checkpointProblem(of run: StoredRun, in store: CheckpointStore) -> String? {
    func isOlder(_ left: (UInt64, UInt64), _ right: (UInt64, UInt64)) -> Bool { left < right }
    let present = ((try? store.list()) ?? []).map(\.name)
    guard !present.isEmpty,
      let newest = run.checkpoints.max(by: {
        isOlder(($0.generation, $0.version), ($1.generation, $1.version))
      })
    else { return nil }
    let isThere = present.contains {
      !isOlder(($0.generation, $0.version), (newest.generation, newest.version))
    }
    return isThere
      ? nil : "the newest recorded checkpoint, '\(newest.manifest)', is not in '\(store.folder)'"
  }

  // MARK: summary.json

  private struct Summary: Decodable {
    let runID: String
    let epochsRun: UInt32
    let bestEpoch: UInt32?

    enum CodingKeys: String, CodingKey {
      case runID = "run_id"
      case epochsRun = "epochs_run"
      case bestEpoch = "best_epoch"
    }
  }

  private static func summaryProblems(
    of run: StoredRun, in directory: RunDirectory
  ) -> [String] {
    let isOver = [.completed, .earlyStopped].contains(run.progress.status)
    guard FileManager.default.fileExists(atPath: directory.summaryPath) else {
      return isOver ? ["the run has ended, but there is no summary.json"] : []
    }
    guard let file = try? MappedFile(path: directory.summaryPath),
      let summary = try? JSONDecoder().decode(Summary.self, from: Data(file.bytes))
    else { return ["summary.json cannot be read"] }
    var problems: [String] = []
    func compare(_ what: String, _ found: String, _ recorded: String) {
      guard found != recorded else { return }
      problems.append(
        "summary.json has \(what) \(found.sanitized()), but run.sqlite has \(recorded.sanitized())")
    }
    compare("run", summary.runID, run.identity.id)
    // The summary of a resumed run is that of the stop before.
    guard isOver else { return problems }
    let best = run.progress.isBestSaved ? run.progress.best?.epoch : nil
    compare("epochs", "\(summary.epochsRun)", "\(run.progress.epochsFinished)")
    compare("best epoch", text(summary.bestEpoch), text(best))
    return problems
  }

  private static func text(_ epoch: UInt32?) -> String { epoch.map { "\($0)" } ?? "none" }
}
