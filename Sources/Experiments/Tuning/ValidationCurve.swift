import Coordinator
import Runtime

/// The selection metric on validation after each evaluated epoch of a run.
package struct ValidationCurve: Sendable, Equatable {
  package struct Point: Sendable, Equatable {
    /// How many epochs were trained when it was measured.
    package let epochs: Int
    package let value: Double

    package init(epochs: Int, value: Double) {
      self.epochs = epochs
      self.value = value
    }
  }

  /// In the order of the epochs.
  package let points: [Point]
  /// How many epochs are trained.
  package let epochsRun: Int
  /// Whether the run has ended, by early stopping or with its last epoch.
  package let isOver: Bool

  package init(points: [Point], epochsRun: Int, isOver: Bool) {
    self.points = points
    self.epochsRun = epochsRun
    self.isOver = isOver
  }

  /// Reads the curve of a run from its records.
  ///
  /// - Parameter metric: the selection metric, such as `recall@20`.
  /// - Throws: `CoordinationError` if they cannot be read; ``ExperimentError`` if there are none.
  package init(run path: String, metric: String) throws {
    let store = try RunStore(path: RunDirectory(existing: path).storePath)
    defer { try? store.close() }
    guard let run = try store.load() else {
      throw ExperimentError(
        .inputMissing,
        "Cannot read the evaluations of the run '\(path)': its records are empty. Start the search "
          + "again with --overwrite.")
    }
    self.init(
      points: run.evaluations.compactMap { evaluation in
        evaluation.metrics["valid.\(metric)"].map {
          Point(epochs: Int(evaluation.epoch) + 1, value: $0)
        }
      },
      epochsRun: Int(run.progress.epochsFinished),
      isOver: [.completed, .earlyStopped].contains(run.progress.status))
  }

  /// How good the run is after some epochs: the highest value of the second half of them. Early
  /// peaks do not count, because some models pass one long before they begin to learn (MGCN on
  /// lfm2k: Recall@20 is .176 after 2 epochs, .141 after 6, above .4 in the end). For a run that
  /// ended before, the highest value of all.
  ///
  /// - Returns: nil if there is no value, or one that is not a number.
  package func score(within epochs: Int) -> Double? {
    let isWhole = isOver && epochsRun <= epochs
    let values = points.filter { $0.epochs <= epochs && (isWhole || 2 * $0.epochs > epochs) }
      .map(\.value)
    return values.contains(where: \.isNaN) ? nil : values.max()
  }

  /// After how many epochs the order of two settings says something: the curve is above half of its
  /// highest value, and no longer a tenth below a value that it had before. 0 without values.
  package var epochsToSettle: Int {
    guard let best = points.max(by: { $0.value < $1.value }) else { return 0 }
    var highest = -Double.infinity
    var settled = 0
    for point in points.prefix(while: { $0.epochs <= best.epochs }) {
      if point.value < max(0.9 * highest, 0.5 * best.value) { settled = point.epochs + 1 }
      highest = max(highest, point.value)
    }
    return settled
  }
}
