import ArgumentParser
import Configuration
import Files
import Foundation
import Runtime
import Settings

/// The options of the commands that start a run.
struct RunOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Folder of a data set in the MMRec layout (NAME.inter, *_feat.npy); default: generated data.",
      valueName: "folder"), completion: .directory)
  var data: String?

  @Option(
    help: """
      The model to train: \(RunRequest.modelNames.joined(separator: ", ")) \
      (default: \(standard("model"))).
      """, completion: .list(RunRequest.modelNames))
  var model: String?

  @Option(
    help: """
      The loss: plain is the model's own, mrdib adds the MRdIB objective (default: \
      \(standard("objective")), if the model has a place for it).
      """, completion: .list(["mrdib", "plain"]))
  var objective: String?

  @Option(
    help: "Worker processes; the result does not depend on them (default: \(standard("workers"))).")
  var workers: Int?

  @Option(
    help: """
      Parameter server processes; the result does not depend on them (default: \
      \(standard("servers"))).
      """)
  var servers: Int?

  @Option(
    help: """
      Threads that each process computes on; the result does not depend on them (default: the \
      available processors, divided among the workers).
      """)
  var threads: Int?

  @Option(help: "Logical shards of a batch; part of the result (default: \(standard("shards"))).")
  var shards: Int?

  @Option(help: "The most epochs to train (default: \(standard("epochs"))).")
  var epochs: Int?

  @Option(
    help: "The seed of all random numbers; part of the result (default: \(standard("seed"))).")
  var seed: Int?

  @Option(
    help: ArgumentHelp(
      """
      Begin with the best model of this run, trained on earlier data of the same users and items; \
      those that are new begin as usual (default: from the beginning).
      """, valueName: "folder"), completion: .directory)
  var startFrom: String?

  @Option(
    help: """
      none, or mmrec: compare metrics rounded to 4 decimals, as MMRec does (default: \
      \(standard("compat"))).
      """)
  var compat: String?

  @Option(
    name: .customLong("config"),
    help: ArgumentHelp(
      "A YAML file of settings; later files take precedence (default: none).", valueName: "file"),
    completion: .file())
  var configurationFiles: [String] = []

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp(
      "A setting; later ones take precedence. 'mrdib config keys' lists them (default: none).",
      valueName: "key=value"))
  var assignments: [String] = []

  @Option(
    name: .customLong("run"),
    help: ArgumentHelp(
      "The directory of the run or sweep (default: a new one in 'runs').", valueName: "folder"),
    completion: .directory)
  var runDirectory: String?

  @Flag(help: "Replace the run, or all runs of the sweep, that the directory already holds.")
  var overwrite = false

  @Flag(help: "Print warnings and errors only, no progress.")
  var quiet = false

  /// The default of a setting, which a data set or a model may replace.
  private static func standard(_ key: String) -> String {
    ConfigurationKeys.all.first { $0.name == key }?.defaultOfRuns.yaml ?? ""
  }

  /// The request of these options; `extra` takes precedence over all of them.
  ///
  /// - Parameter rendezvous: names the data and the numbers of processes, if no option does.
  /// - Throws: ``RuntimeError`` if a variable has a malformed value.
  func request(
    _ extra: [RunRequest.Option] = [], joining rendezvous: Rendezvous
  ) throws -> RunRequest {
    var request = request(extra)
    request.data = data ?? rendezvous.find(.data)?.value
    request.surroundings = try [Rendezvous.Fact.workers, .servers].compactMap { fact in
      try rendezvous.count(fact).map {
        RunRequest.Option(option: $0.source, key: fact.rawValue, value: "\($0.value)")
      }
    }
    return request
  }

  /// The request of these options; `extra` takes precedence over all of them.
  func request(_ extra: [RunRequest.Option] = []) -> RunRequest {
    let named: [(String, String, String?)] = [
      ("model", "model", model), ("objective", "objective", objective),
      ("workers", "workers", workers.map(String.init)),
      ("servers", "servers", servers.map(String.init)),
      ("threads", "threads", threads.map(String.init)),
      ("shards", "shards", shards.map(String.init)),
      ("epochs", "epochs", epochs.map(String.init)), ("seed", "seed", seed.map(String.init)),
      ("compat", "compat", compat),
      ("start-from", "initial_weights", startFrom.map(FilePath.absolute)),
    ]
    let options = named.compactMap { option, key, value in
      value.map { RunRequest.Option(option: "--\(option) \($0)", key: key, value: $0) }
    }
    return RunRequest(
      data: data, configurationFiles: configurationFiles, assignments: assignments,
      options: options + extra)
  }

  /// Creates the run's directory, or opens the one whose run is resumed. The process owns it until
  /// it exits or releases the lock.
  func openRunDirectory(
    for setup: RunSetup, _ resume: ResumeChoice
  ) throws -> (directory: RunDirectory, lock: RunLock, continued: ResumableRun?) {
    let path = try folder(resume) ?? setup.standardDirectory(date: Date())
    try ForeignFolder.refuseForRun(path)
    let lock = try RunLock(runDirectory: path)
    let directory = RunDirectory(existing: path)
    let note = { (line: String) in if !quiet { StandardError.write(line) } }
    if !overwrite, resume != .never,
      let run = try ResumableRun.find(in: directory, for: setup, note: note)
    {
      try directory.makeLogFolder()
      return (directory, lock, run)
    }
    if case .path(let path) = resume {
      throw RuntimeError(
        exitCode: .inputMissing,
        message: "Cannot resume the run in '\(path)': the folder holds no run that was begun. "
          + "Name the directory of a run, or leave --resume out.")
    }
    let isUnused = overwrite || (resume != .never && directory.holdsOnlyPreparations)
    try setup.configuration.checkCheckpointFolder()
    return (
      try RunDirectory.create(at: path, existingRun: isUnused ? .replace : .refuse), lock, nil
    )
  }

  /// Checks the directory that the options name before anything is read.
  ///
  /// - Throws: ``RuntimeError`` if no run may be there.
  func checkRunDirectory(_ resume: ResumeChoice) throws {
    if let path = try folder(resume) { try ForeignFolder.refuseForRun(path) }
  }

  private func folder(_ resume: ResumeChoice) throws -> String? {
    guard case .path(let path) = resume else { return runDirectory }
    guard runDirectory == nil || runDirectory == path, !overwrite else {
      throw RuntimeError(
        exitCode: .usage,
        message: "Cannot resume the run in '\(path)' and use "
          + (overwrite ? "--overwrite" : "--run \(runDirectory ?? "")")
          + ": --resume FOLDER names the run already; leave the other option out.")
    }
    return path
  }
}

/// How much of a run the commands that train one show.
struct DetailOptions: ParsableArguments {
  @Flag(
    name: .shortAndLong,
    help: "Print all terms of the loss, all metrics and what is saved, too.")
  var verbose = false

  /// - Throws: `ValidationError` if both extremes are asked for.
  func detail(isQuiet: Bool) throws -> ProgressDetail {
    guard isQuiet else { return verbose ? .verbose : .normal }
    guard !verbose else {
      throw ValidationError("--quiet and --verbose exclude each other; leave one out.")
    }
    return .quiet
  }
}

/// The option of the commands that begin or resume a run.
struct ResumeOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "auto: resume the run in the run directory, if there is one; servers: also bring back the "
        + "records of a coordinator whose disk was lost from servers that hold copies "
        + "(checkpoint_copies 2); never: refuse a directory that holds a run; or the directory of "
        + "the run to resume (default: auto).",
      valueName: "auto|servers|never|folder"),
    transform: { try ResumeChoice(argument: $0) })
  var resume = ResumeChoice.auto
}
