import Datasets
import Foundation
import RunConfiguration
import Settings

/// Names of runs.
public enum RunIdentifier {
  /// A name that no other run has.
  public static func fresh() -> String { UUID().uuidString.lowercased() }
}

extension RunSetup {
  /// Where this run goes when no folder is named.
  public func standardDirectory(date: Date) -> String {
    RunDirectory.standardPath(
      model: configuration.model.model, dataset: dataset.name,
      configurationDigest: configuration.digest, date: date)
  }
}
