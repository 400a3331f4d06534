import Configuration
import Datasets
import Recommenders
import Runtime
import Settings
import Tensors

/// The rankings of a run's best model, from its saved vectors.
struct SavedRanking {
  let run: String
  let model: BestModel
  let configuration: RunConfiguration
  let dataset: Dataset

  /// - Parameter dataFolder: where the data lies, if it has moved.
  /// - Throws: errors with a sentence when the run has no model or the data has changed.
  init(run: String, dataFolder: String?) throws {
    self.run = run
    model = try BestModel.read(run: run)
    let request = RunRequest(
      data: dataFolder,
      configurationFiles: [RunDirectory(existing: run).configurationPath])
    let input = try request.input(request.requestedLayers())
    configuration = input.configuration
    dataset = input.dataset
  }

  /// The items that users are to find.
  func truth(_ split: Split) -> AdjacencyList {
    switch split {
    case .valid: dataset.valid
    case .test: dataset.test
    }
  }

  /// Ranks all items for all users, and measures each user by every split, in their order.
  ///
  /// - Throws: errors with a sentence when the vectors cannot be read.
  func evaluate(_ splits: [EvaluationSplit]) throws -> [UserMetrics] {
    try FullRanking(
      cutoffs: configuration.selection.cutoffs, metrics: configuration.metrics
    ).evaluateEachUser(
      userMatrix: model.vectors(.user, run: run), firstUser: 0,
      itemMatrix: model.vectors(.item, run: run), trainMask: dataset.train, splits: splits)
  }
}
