import Checkpoints
import Configuration
import Coordinator
import Datasets
import Foundation
import Recommenders
import Tensors

/// A run in a directory that can be resumed.
package struct ResumableRun: Sendable {
  package let stored: StoredRun
  /// Whether it has nothing left to train.
  package var isFinished: Bool {
    [.completed, .earlyStopped].contains(stored.progress.status)
  }

  /// The run of a directory; nil if the directory has no records.
  ///
  /// Data that has only grown is accepted: the run is then brought to it.
  ///
  /// - Parameter note: receives lines for the user about data that has grown.
  /// - Throws: ``RuntimeError`` when the run has other data or settings, with what differs;
  ///   `CoordinationError` when its records cannot be read; `CheckpointError` when another release
  ///   wrote its checkpoints: without them it would start from scratch.
  package static func find(
    in directory: RunDirectory, for setup: RunSetup, note: (String) -> Void = { _ in }
  ) throws -> ResumableRun? {
    guard FileManager.default.fileExists(atPath: directory.storePath) else { return nil }
    let store = try RunStore(path: directory.storePath)
    defer { try? store.close() }
    guard var stored = try store.load() else { return nil }
    let folder = setup.configuration.checkpointFolder(of: stored.identity.id, in: directory)
    if let growth = try RunGrowth(of: stored, in: directory, for: setup) {
      try growth.apply(to: store, note: note)
      stored = try store.load() ?? stored
    }
    try check(stored.identity, of: directory, against: setup)
    try checkFormat(of: folder)
    try RunGrowth.complete(store, in: CheckpointStore(folder: folder))
    return ResumableRun(stored: stored)
  }

  /// Checks that a run was begun with these data and settings.
  ///
  /// - Throws: ``RuntimeError`` with what differs.
  static func check(
    _ identity: RunIdentity, of directory: RunDirectory, against setup: RunSetup
  ) throws {
    let wanted = RunIdentity.digests(of: setup)
    guard identity.digests != wanted else { return }
    guard identity.digests["data"]?.hasPrefix("\(ByteDigest.algorithm):") == true else {
      throw RuntimeError(
        exitCode: .dataMalformed,
        message: "Cannot resume the run in '\(directory.path)': an older release began it, and "
          + "its digests of data and checkpoints cannot be compared with those of this release. "
          + "Resume with the release that began it, name another folder with --run, or start from "
          + "scratch with --overwrite.")
    }
    var differences = try settingDifferences(identity.configuration, setup.configuration)
    if identity.digests["data"] != wanted["data"] {
      differences.append(
        "the data has changed (digest \(identity.digests["data"] ?? "unknown") then, "
          + "\(wanted["data"] ?? "unknown") now)")
    }
    throw RuntimeError(
      exitCode: .configuration,
      message: "Cannot resume the run in '\(directory.path)': "
        + "\(differences.joined(separator: "; ")). Use the run's own settings and data, name "
        + "another folder with --run, or start from scratch with --overwrite.")
  }

  /// A folder that cannot be read now is no error: the coordinator reads it again when it needs a
  /// checkpoint.
  private static func checkFormat(of folder: String) throws {
    for entry in (try? CheckpointStore(folder: folder).list()) ?? [] {
      if case .unusable(let error) = entry.content, error.code == .unsupported { throw error }
    }
  }

  /// The decisive settings whose values have changed, as phrases.
  ///
  /// - Parameter ignored: settings that may differ.
  static func settingDifferences(
    _ stored: String, _ current: RunConfiguration, ignoring ignored: Set<String> = []
  ) throws -> [String] {
    let before = try RunConfiguration(recorded: stored)
    let old = Dictionary(uniqueKeysWithValues: before.decisiveSettings)
    let new = Dictionary(uniqueKeysWithValues: current.decisiveSettings)
    return Set(old.keys).union(new.keys).sorted().compactMap { name in
      guard name != "data_digest", !ignored.contains(name), old[name] != new[name] else {
        return nil
      }
      return "\(name) was \(old[name] ?? "unset") and is \(new[name] ?? "unset") now"
    }
  }
}

extension RunIdentity {
  /// What must be the same for a run to be resumed.
  static func digests(of setup: RunSetup) -> [String: String] {
    ["data": setup.dataset.digest, "configuration": setup.configuration.digest]
  }
}

/// Whether a run resumes an earlier one: the value of `--resume`.
package enum ResumeChoice: Sendable, Equatable, CustomStringConvertible {
  /// Resume the run in the run directory; begin one if there is none.
  case auto
  /// The same, but if there is none, resume the one of which servers hold copies of the records.
  case servers
  /// Begin a new run.
  case never
  /// Resume the run in this folder.
  case path(String)

  /// `auto`, `servers`, `never`, or a folder that exists. A folder that is called `auto` is given
  /// as `./auto`.
  ///
  /// - Throws: ``RuntimeError``.
  package init(argument: String) throws {
    switch argument {
    case "auto": self = .auto
    case "servers": self = .servers
    case "never": self = .never
    default:
      var isFolder: ObjCBool = false
      let exists = FileManager.default.fileExists(atPath: argument, isDirectory: &isFolder)
      guard exists, isFolder.boolValue else {
        let found = exists ? "that is a file" : "there is no such folder"
        throw RuntimeError(
          exitCode: .usage,
          message: "Cannot resume from '\(argument)': \(found); give auto, servers, never, or the "
            + "folder of the run to resume.")
      }
      self = .path(argument)
    }
  }

  /// What to do about copies of the records that servers hold, if the run directory has none; nil:
  /// they are not looked for.
  package var lostRecords: LostRecords.Choice? {
    switch self {
    case .auto: .refuse
    case .servers: .resume
    case .never, .path: nil
    }
  }

  /// As on a command line.
  package var description: String {
    switch self {
    case .auto: "auto"
    case .servers: "servers"
    case .never: "never"
    case .path(let path): path
    }
  }
}
