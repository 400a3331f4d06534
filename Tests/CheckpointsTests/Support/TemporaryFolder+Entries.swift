import Checkpoints
import Foundation
import TestSupport

extension TemporaryFolder {
  var checkpoints: CheckpointStore { CheckpointStore(folder: path) }

  func remove(_ name: String) throws {
    try FileManager.default.removeItem(atPath: path(name))
  }

  func makeFolder(_ name: String) throws {
    try FileManager.default.createDirectory(
      atPath: path(name), withIntermediateDirectories: true)
  }

  /// The names in a folder.
  func names(_ name: String = "") throws -> Set<String> {
    Set(try FileManager.default.contentsOfDirectory(atPath: path(name)))
  }
}
