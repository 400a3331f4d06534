import Configuration
import Datasets
import Recommenders
import Settings

/// The data set that a run was trained on, found again.
package struct TrainedData: Sendable {
  package let dataset: Dataset
  package let configuration: RunConfiguration
  package let folder: String

  /// Loads the data and compares its digest with the run's.
  ///
  /// - Parameters:
  ///   - moved: where the data is, if it was moved after training.
  ///   - purpose: what it is for, such as `recommend with '…'`.
  ///   - alternative: what the user can do without the data, such as `use --include-seen`; nil if
  ///     there is nothing.
  /// - Throws: errors with a sentence when the data is missing, damaged or other data.
  package init(run: String, moved: String?, for purpose: String, alternative: String?) throws {
    let other = alternative.map { ", or \($0)" } ?? ""
    configuration = try Self.configuration(ofRun: run)
    folder = moved ?? configuration.data.folder
    guard !folder.isEmpty else {
      throw RuntimeError(
        exitCode: .inputMissing,
        message: "Cannot find the data of '\(run)': its configuration names no folder. Name it "
          + "with --data\(other).")
    }
    // Loads the run's own modalities, because the digest covers them.
    dataset = try Dataset.load(folder: folder, for: configuration)
    guard dataset.digest == configuration.data.digest else {
      throw RuntimeError(
        exitCode: .dataMalformed,
        message: "Cannot \(purpose): the data in '\(folder)' is not what '\(run)' was trained on "
          + "(digest \(dataset.digest), trained on \(configuration.data.digest)). Name the right "
          + "folder with --data\(other).")
    }
  }

  /// The folder that a run was trained on, by its records; it may be empty or gone.
  ///
  /// - Throws: `ConfigurationError` when the run's settings cannot be read.
  package static func folder(ofRun run: String) throws -> String {
    try configuration(ofRun: run).data.folder
  }

  private static func configuration(ofRun run: String) throws -> RunConfiguration {
    try ConfigurationResolver(modelNames: ModelRegistry.names).resolve(
      layers: [ConfigurationLayer(file: RunDirectory(existing: run).configurationPath)])
  }
}
