import Checkpoints
import Coordination
import Datasets
import Foundation
import Models
import RunConfiguration
import Tensors

/// A run that a directory holds and that can go on.
public struct ContinuedRun: Sendable {
  public let stored: StoredRun

  /// Whether there is nothing left to do.
  public var isFinished: Bool {
    [.completed, .earlyStopped].contains(stored.standing.status)
  }

  /// The run of a directory; nil if it holds none that got as far as its records.
  ///
  /// - Throws: ``RuntimeError`` when the run was made with other data or settings, with what
  ///   differs; `CoordinationError` when its records cannot be read; `CheckpointError` when its
  ///   checkpoints are those of another release: without them it would begin anew.
  public static func find(in directory: RunDirectory, for setup: RunSetup) throws -> ContinuedRun? {
    guard FileManager.default.fileExists(atPath: directory.storePath) else { return nil }
    let store = try RunStore(path: directory.storePath)
    defer { try? store.close() }
    guard let stored = try store.load() else { return nil }
    try check(stored.identity, of: directory, against: setup)
    try checkFormat(
      of: setup.configuration.checkpointFolder(of: stored.identity.id, in: directory))
    return ContinuedRun(stored: stored)
  }

  /// Whether a run was begun with these data and settings.
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
        message: "Cannot go on with the run in '\(directory.path)': an older release made it, and "
          + "its digests of data and checkpoints cannot be compared with those of this release. "
          + "Go on with the release that made it, name another folder with --run, or train anew "
          + "with --overwrite.")
    }
    var differences = try settingDifferences(identity.configuration, setup.configuration)
    if identity.digests["data"] != wanted["data"] {
      differences.append(
        "the data is another (digest \(identity.digests["data"] ?? "unknown") then, "
          + "\(wanted["data"] ?? "unknown") now)")
    }
    throw RuntimeError(
      exitCode: .configuration,
      message: "Cannot go on with the run in '\(directory.path)': "
        + "\(differences.joined(separator: "; ")). Use the run's own settings and data, name "
        + "another folder with --run, or train anew with --overwrite.")
  }

  /// A folder that cannot be read now may be readable when a checkpoint is needed; the coordinator
  /// then looks again.
  private static func checkFormat(of folder: String) throws {
    for entry in (try? CheckpointStore(folder: folder).list()) ?? [] {
      if case .unusable(let error) = entry.content, error.code == .unsupported { throw error }
    }
  }

  /// The settings that decide what is trained and have another value now.
  private static func settingDifferences(
    _ stored: String, _ current: RunConfiguration
  ) throws -> [String] {
    let before = try ConfigurationResolver(modelNames: ModelRegistry.names).resolve(layers: [
      ConfigurationLayer(yaml: stored, label: "the run's configuration")
    ])
    let old = Dictionary(uniqueKeysWithValues: before.decisiveSettings)
    let new = Dictionary(uniqueKeysWithValues: current.decisiveSettings)
    return Set(old.keys).union(new.keys).sorted().compactMap { name in
      guard name != "data_digest", old[name] != new[name] else { return nil }
      return "\(name) was \(old[name] ?? "unset") and is \(new[name] ?? "unset") now"
    }
  }
}

extension RunIdentity {
  /// What a continued run must agree with.
  static func digests(of setup: RunSetup) -> [String: String] {
    ["data": setup.dataset.digest, "configuration": setup.configuration.digest]
  }
}
