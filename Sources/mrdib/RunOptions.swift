import ArgumentParser
import Foundation
import Runtime

/// The options that describe what is trained, shared by the commands that start a run.
struct RunOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Folder of a data set in the MMRec layout (NAME.inter, *_feat.npy); else a generated one.",
      valueName: "folder"))
  var data: String?

  @Option(help: "The model to train (bpr, vbpr).")
  var model: String?

  @Option(help: "The loss: plain is the model's own, mrdib adds the MRdIB objective.")
  var objective: String?

  @Option(help: "Worker processes; the result does not depend on them.")
  var workers: Int?

  @Option(help: "Parameter server processes; the result does not depend on them.")
  var servers: Int?

  @Option(help: "Logical shards of a batch; part of the result.")
  var shards: Int?

  @Option(help: "The most epochs to train.")
  var epochs: Int?

  @Option(help: "Names all random numbers of the run.")
  var seed: Int?

  @Option(help: "none, or mmrec: compare metrics rounded to 4 decimals, as MMRec does.")
  var compat: String?

  @Option(
    name: .customLong("config"),
    help: ArgumentHelp("A YAML file of settings; later files win.", valueName: "file"))
  var configurationFiles: [String] = []

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp(
      "One setting; later ones win. 'mrdib config keys' lists them.", valueName: "key=value"))
  var assignments: [String] = []

  @Option(name: .customLong("run"), help: ArgumentHelp("The run's directory.", valueName: "folder"))
  var runDirectory: String?

  @Flag(help: "Replace the run, or all runs of the sweep, that the directory already holds.")
  var overwrite = false

  @Flag(help: "No progress, only warnings and errors.")
  var quiet = false

  /// What these options ask for; `extra` wins over all of them.
  func request(_ extra: [RunRequest.Option] = []) -> RunRequest {
    let named: [(String, String, String?)] = [
      ("model", "model", model), ("objective", "objective", objective),
      ("workers", "workers", workers.map(String.init)),
      ("servers", "servers", servers.map(String.init)),
      ("shards", "shards", shards.map(String.init)),
      ("epochs", "epochs", epochs.map(String.init)), ("seed", "seed", seed.map(String.init)),
      ("compat", "compat", compat),
    ]
    let options = named.compactMap { option, key, value in
      value.map { RunRequest.Option(option: "--\(option) \($0)", key: key, value: $0) }
    }
    return RunRequest(
      data: data, configurationFiles: configurationFiles, assignments: assignments,
      options: options + extra)
  }

  /// Makes the run's directory, which belongs to this process from now on until it ends.
  func makeRunDirectory(for setup: RunSetup) throws -> RunDirectory {
    let path = runDirectory ?? setup.standardDirectory(date: Date())
    _ = try RunLock(runDirectory: path)
    return try RunDirectory.create(at: path, existingRun: overwrite ? .replace : .refuse)
  }
}
