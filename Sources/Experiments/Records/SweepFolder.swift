import Checkpoints
import Coordinator
import Foundation
import Runtime

/// The folder of a sweep and the names of what is in it.
///
///     sweep.sqlite    every run with its state and result; an interrupted sweep resumes from it
///     sweep.csv       the same as a table, one line per run
///     tune.json       what a search has tried and chosen; written at its end
///     chosen.yaml     the chosen settings of a search, for `--config`
///     runs/DIGEST/    one run each, named by the digest of its configuration
///     lock            held by the process that trains the sweep, see `RunLock`
package struct SweepFolder: Sendable, Equatable {
  package let path: String

  package var storePath: String { "\(path)/\(ForeignFolder.sweepRecords)" }
  package var tablePath: String { "\(path)/sweep.csv" }
  var tuningPath: String { "\(path)/tune.json" }

  /// A folder that exists already; nothing is checked.
  package init(existing path: String) { self.path = path }

  /// Takes the folder's lock, then creates the folder as ``create(at:forgetting:)`` does. Without
  /// the lock two sweeps in one folder would delete each other's unfinished runs.
  ///
  /// - Returns: the folder, and its lock, which the caller holds until the sweep is over.
  /// - Throws: `RuntimeError` if another process uses the folder; nothing is changed then. Errors
  ///   of ``create(at:forgetting:)``.
  package static func open(
    at path: String, forgetting: Bool
  ) throws -> (folder: SweepFolder, lock: RunLock) {
    try SweepFolder(existing: path).checkContent()
    let lock = try RunLock(sweepFolder: path)
    do {
      return (try create(at: path, forgetting: forgetting), lock)
    } catch {
      lock.release()
      throw error
    }
  }

  /// Creates the folder, with its parents, if it is missing.
  ///
  /// - Parameter forgetting: whether the record of an earlier sweep is deleted, so that all its
  ///   runs are trained again.
  /// - Throws: ``ExperimentError`` if it cannot be created or holds a single run,
  ///   `RuntimeError` if it holds a data set, `CoordinationError` if its path is too long
  ///   for the records of runs.
  package static func create(at path: String, forgetting: Bool) throws -> SweepFolder {
    let folder = SweepFolder(existing: path)
    try folder.checkContent()
    let files = FileManager.default
    do {
      try files.createDirectory(atPath: "\(path)/runs", withIntermediateDirectories: true)
      guard forgetting else { return folder }
      for suffix in ["", "-wal", "-shm"]
      where files.fileExists(atPath: folder.storePath + suffix) {
        try files.removeItem(atPath: folder.storePath + suffix)
      }
    } catch {
      throw ExperimentError(
        .cannotCreate,
        "Cannot use '\(path)' for a sweep: \((error as NSError).localizedDescription) Check that "
          + "you may write there, or name another folder with --run.")
    }
    return folder
  }

  private func checkContent() throws {
    // The runs' stores have the longest paths.
    let deepest = RunDirectory(existing: absolute("runs/0123456789abcdef"))
    try RunStore.checkLength(of: deepest.storePath)
    let run = RunDirectory(existing: path)
    guard !FileManager.default.fileExists(atPath: run.configurationPath) else {
      throw ExperimentError(
        .cannotCreate,
        "Cannot start a sweep in '\(path)': it holds a single run; name another folder with --run.")
    }
    try ForeignFolder.refuseDataset(path, "start a sweep in", option: "--run")
  }

  /// The folder of a run, relative to this one.
  func runFolder(_ identity: SweepRun.Identity) -> String {
    "runs/\(identity.configurationDigest)"
  }

  package func absolute(_ relative: String) -> String { "\(path)/\(relative)" }

  /// Writes the result of a search.
  ///
  /// - Parameter chosen: the chosen settings as YAML.
  /// - Returns: the path of the chosen settings.
  /// - Throws: `CheckpointError` if it cannot be written.
  package func write(_ report: TuningReport, chosen: String) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try DurableFile.write(Array(encoder.encode(report)) + [0x0A], to: tuningPath)
    let settings = absolute("chosen.yaml")
    try DurableFile.write(
      Array("# Chosen by mrdib tune; tune.json says how.\n\(chosen)".utf8), to: settings)
    return settings
  }

  /// Deletes what a run that did not finish left in its folder.
  func removeRun(_ relative: String) throws {
    let run = absolute(relative)
    guard FileManager.default.fileExists(atPath: run) else { return }
    do {
      try FileManager.default.removeItem(atPath: run)
    } catch {
      throw ExperimentError(
        .cannotCreate,
        "Cannot replace the unfinished run '\(run)': \((error as NSError).localizedDescription)")
    }
  }
}
