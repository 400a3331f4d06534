import Datasets
import Files
import Foundation

/// A folder that is in use for something else than what a command would write there.
package enum ForeignFolder {
  /// The records of a sweep in its folder.
  package static let sweepRecords = "sweep.sqlite"

  /// Whether a folder is that of a sweep.
  package static func isSweep(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: "\(path)/\(sweepRecords)")
  }

  /// Refuses a folder of a data set, whose files another command would mix with its own.
  ///
  /// - Parameters:
  ///   - purpose: what was attempted, such as `start a run in`.
  ///   - option: that names the folder.
  /// - Throws: ``RuntimeError`` if the folder holds a data set.
  package static func refuseDataset(_ path: String, _ purpose: String, option: String) throws {
    guard let file = DatasetDescription.sign(in: path) else { return }
    throw RuntimeError(
      exitCode: .cannotCreate,
      message: "Cannot \(purpose) '\(path)': it holds a data set ('\(file.sanitized())'); name "
        + "another folder with \(option).")
  }

  /// Refuses a folder in which no run may be: that of a data set or of a sweep.
  ///
  /// - Throws: ``RuntimeError``.
  package static func refuseForRun(_ path: String) throws {
    try refuseDataset(path, "start a run in", option: "--run")
    guard isSweep(path) else { return }
    throw RuntimeError(
      exitCode: .cannotCreate,
      message: "Cannot start a run in '\(path)': it is the folder of a sweep, which could not be "
        + "resumed any more; name another folder with --run.")
  }
}
