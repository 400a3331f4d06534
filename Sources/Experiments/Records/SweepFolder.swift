import Coordination
import Foundation
import Runtime

/// The folder of a sweep and the names of what is in it.
///
///     sweep.sqlite    every run with its state and result; what an interrupted sweep goes on from
///     sweep.csv       the same as a table, one line per run
///     runs/DIGEST/    one run each, named by the digest of its configuration
public struct SweepFolder: Sendable, Equatable {
  public let path: String

  public var storePath: String { "\(path)/sweep.sqlite" }
  public var tablePath: String { "\(path)/sweep.csv" }

  /// A folder that was made before; nothing is checked.
  public init(existing path: String) { self.path = path }

  /// Makes the folder, with its parents, unless it is there.
  ///
  /// - Parameter forgetting: whether what is known of the runs of an earlier sweep is deleted, so
  ///   that all are made again.
  /// - Throws: ``ExperimentError`` if it cannot be made or holds a single run.
  public static func create(at path: String, forgetting: Bool) throws -> SweepFolder {
    let folder = SweepFolder(existing: path)
    // The runs' stores lie deepest.
    let deepest = RunDirectory(existing: folder.absolute("runs/0123456789abcdef"))
    try RunStore.checkLength(of: deepest.storePath)
    let files = FileManager.default
    if files.fileExists(atPath: RunDirectory(existing: path).configurationPath) {
      throw ExperimentError(
        .cannotCreate,
        "Cannot start a sweep in '\(path)': it holds a single run; name another folder with --run.")
    }
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

  /// Whether a folder is that of a sweep.
  static func isSweep(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: SweepFolder(existing: path).storePath)
  }

  /// The folder of a run, relative to this one.
  func runFolder(_ identity: SweepRun.Identity) -> String {
    "runs/\(identity.configurationDigest)"
  }

  func absolute(_ relative: String) -> String { "\(path)/\(relative)" }

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
