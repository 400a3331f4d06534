import Datasets
import Models
import RunConfiguration
import Settings

/// What a run starts from: resolved settings and loaded data, but no model yet.
public struct RunInput: Sendable {
  public let configuration: RunConfiguration
  public let dataset: Dataset

  /// Builds the model.
  ///
  /// - Throws: `ModelError` when data and settings do not go together.
  public func setup() throws -> RunSetup {
    try RunSetup(configuration: configuration, dataset: dataset)
  }

  /// This data, if loading it for other settings would give the same.
  func dataset(in folder: String, for other: RunConfiguration) -> Dataset? {
    configuration.data.folder == folder
      && configuration.data.modalities == other.data.modalities
      && ModelRegistry.needsFeatures(configuration.model.model)
        == ModelRegistry.needsFeatures(other.model.model)
      ? dataset : nil
  }
}
