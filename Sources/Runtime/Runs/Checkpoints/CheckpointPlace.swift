import Checkpoints
import Configuration
import Coordinator
import Files
import Foundation
import ParameterServer
import Recommenders
import Settings

/// A path given by the user, resolved to checkpoints: the directory of a run, a folder of
/// checkpoints, or one checkpoint.
struct CheckpointPlace {
  /// As the user wrote it.
  let path: String
  let store: CheckpointStore
  /// The one checkpoint that the path names; nil: all of the store.
  let name: CheckpointName?
  /// The run that the path names, if it names one.
  let run: RunDirectory?
  /// Of ``run``; nil before it has begun.
  private let runID: String?

  /// - Throws: ``RuntimeError`` if the path is none of these; `ConfigurationError` if the run's
  ///   configuration cannot be read.
  init(path: String) throws {
    self.path = path
    guard !path.hasPrefix(S3Location.scheme) else {
      (store, name) = try Self.inObjectStore(path)
      (run, runID) = (nil, nil)
      return
    }
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    guard exists, isFolder.boolValue else {
      throw Self.nothing(at: path, exists ? "that is a file" : "there is no such folder")
    }
    let folder = FilePath.absolute(path)
    let run = RunDirectory(existing: path)
    if let name = folder.split(separator: "/").last.flatMap({
      CheckpointName(folder: String($0))
    }) {
      self.name = name
      store = CheckpointStore(folder: FilePath.parent(of: folder))
      (self.run, runID) = (nil, nil)
    } else if FileManager.default.fileExists(atPath: run.configurationPath) {
      let configuration = try ConfigurationResolver(modelNames: ModelRegistry.names).resolve(
        layers: [ConfigurationLayer(file: run.configurationPath)])
      name = nil
      self.run = run
      // Only a shared folder needs the run's id to find its part of it. In a folder of its own
      // checkpoints can be listed although the run's records are damaged.
      let isOwn = configuration.checkpoints.folder.isEmpty
      let id = isOwn ? try? Self.runID(of: run) : try Self.runID(of: run)
      runID = id
      // A run that has not begun has no part of a shared folder yet.
      store = CheckpointStore(
        folder: id.map { configuration.checkpointFolder(of: $0, in: run) }
          ?? run.checkpointDirectory)
    } else {
      name = nil
      (self.run, runID) = (nil, nil)
      store = CheckpointStore(folder: folder)
      guard try !store.list().isEmpty else {
        throw Self.nothing(at: path, "the folder holds neither a run nor checkpoints")
      }
    }
  }

  /// The checkpoints, or the one checkpoint, that an address of an object store names.
  private static func inObjectStore(
    _ path: String
  ) throws -> (store: CheckpointStore, name: CheckpointName?) {
    guard let location = S3Location(path) else {
      throw RuntimeError(
        exitCode: .usage,
        message: "Cannot find checkpoints in '\(path.sanitized(atMost: 120))': an object store is "
          + "named like s3://BUCKET/PREFIX.")
    }
    let folder = "\(location)"
    if let name = folder.split(separator: "/").last.flatMap({ CheckpointName(folder: String($0)) })
    {
      return (CheckpointStore(folder: FilePath.parent(of: folder)), name)
    }
    let store = CheckpointStore(folder: folder)
    guard try !store.list().isEmpty else {
      throw nothing(at: path, "no checkpoint's name begins with that")
    }
    return (store, nil)
  }

  /// The run's id in its records; nil before the run has begun.
  private static func runID(of run: RunDirectory) throws -> String? {
    guard FileManager.default.fileExists(atPath: run.storePath) else { return nil }
    let store = try RunStore(path: run.storePath)
    defer { try? store.close() }
    return try store.load()?.identity.id
  }

  private static func nothing(at path: String, _ found: String) -> RuntimeError {
    RuntimeError(
      exitCode: .inputMissing,
      message: "Cannot find checkpoints in '\(path)': \(found); name the directory of a run, its "
        + "folder of checkpoints, or one checkpoint in it.")
  }

  /// The checkpoints that the path names, newest first.
  func entries() throws -> [CheckpointStore.Entry] {
    try store.list().filter { name == nil || $0.name == name }
  }

  /// Whether another run than the one that the path names wrote the checkpoint: the run does not
  /// resume from it.
  func isOfOtherRun(_ manifest: CheckpointManifest) -> Bool {
    runID.map { $0 != manifest.runID } ?? false
  }

  /// The folder of a checkpoint.
  func path(of name: CheckpointName) -> String { "\(store.folder)/\(name.folder)" }

  /// Opens the checkpoint that the path names, or the newest undamaged one.
  ///
  /// - Returns: the checkpoint, and why each newer one was skipped.
  /// - Throws: `CheckpointError` or ``RuntimeError`` when there is none.
  func open() throws -> (view: CheckpointView, problems: [String]) {
    var problems: [String] = []
    for entry in try entries() {
      switch entry.content {
      case .committed(let manifest) where isOfOtherRun(manifest): continue
      case .committed(let manifest):
        do {
          return (try CheckpointView(manifest, in: store), problems)
        } catch let error as CheckpointError {
          problems.append(error.message)
        }
      case .unusable(let error): problems.append(error.message)
      case .uncommitted: if name != nil { problems.append(incomplete(entry.name)) }
      }
    }
    guard !problems.isEmpty else {
      throw RuntimeError(
        exitCode: .inputMissing,
        message: "Cannot find a checkpoint in '\(store.folder)': there is none yet; train with "
          + "checkpoint_epochs or checkpoint_steps above 0.")
    }
    throw RuntimeError(exitCode: .dataMalformed, message: problems.joined(separator: "\n"))
  }

  /// Opens the checkpoint of a version, of the newest generation that has one.
  ///
  /// - Parameter purpose: what it is for, such as `compare with version 118`.
  /// - Throws: `CheckpointError` or ``RuntimeError`` when there is none, or it is damaged.
  func open(version: UInt64, for purpose: String) throws -> CheckpointView {
    let manifests = try entries().compactMap(\.manifest).filter { !isOfOtherRun($0) }
    guard let manifest = manifests.first(where: { $0.version == version }) else {
      let versions = manifests.map { "\($0.version)" }
      let found =
        versions.isEmpty
        ? "there is no checkpoint yet"
        : "there are those of the versions \(versions.prefix(20).joined(separator: ", "))"
      throw RuntimeError(
        exitCode: .inputMissing,
        message:
          "Cannot \(purpose): '\(store.folder)' has no checkpoint of that version; \(found). "
          + "Export everything again, and train with a larger checkpoint_keep.")
    }
    return try CheckpointView(manifest, in: store)
  }

  /// The message for a checkpoint without a manifest.
  func incomplete(_ name: CheckpointName) -> String {
    "Cannot use '\(path(of: name))': it has no manifest.json, so not all servers have written "
      + "their files; use another checkpoint."
  }
}

extension CheckpointView {
  /// Opens a checkpoint with the optimizer of the configuration stored in it.
  fileprivate init(_ manifest: CheckpointManifest, in store: CheckpointStore) throws {
    let label = "the configuration in '\(store.folder)/\(manifest.name.manifest)'"
    let configuration = try ConfigurationResolver(modelNames: ModelRegistry.names).resolve(
      layers: [ConfigurationLayer(yaml: manifest.configuration, label: label)])
    do {
      try self.init(
        manifest, in: store, optimizer: OptimizerConfiguration(configuration))
    } catch let error as ParameterServerError {
      throw RuntimeError(
        exitCode: .dataMalformed,
        message: "Cannot use '\(store.folder)/\(manifest.name.folder)': \(error.message)")
    }
  }
}
