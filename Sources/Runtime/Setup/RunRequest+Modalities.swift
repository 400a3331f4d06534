import Datasets
import Foundation
import RunConfiguration
import Settings

extension RunRequest {
  /// The item features that a run on this data would read, as far as their files are there; nil
  /// where the folder itself decides.
  ///
  /// - Throws: `ConfigurationError`.
  public func modalities() throws -> [ModalityDescription]? {
    let configuration = try resolve()
    let folder = data ?? configuration.data.folder
    let present = configuration.data.modalities.filter {
      FileManager.default.fileExists(atPath: "\(folder)/\($0.file)")
    }
    return present.isEmpty
      ? nil : present.map { ModalityDescription(name: $0.name, file: $0.file) }
  }
}
