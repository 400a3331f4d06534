import Checkpoints
import Configuration
import Coordinator
import Files
import Foundation

/// The folder of one run and the names of what is in it.
///
///     config.resolved.yaml   the configuration with all defaults filled in
///     environment.json       the machine and the program that made the run
///     metrics.jsonl          one line per epoch
///     events.jsonl           what happened besides, see ``EventLog``
///     summary.json           the result
///     run.sqlite             the coordinator's state
///     telemetry/             addresses and last metrics of the processes, with --telemetry
///     logs/NAME.log          what each process wrote, and NAME.log.1 before that
///     best.json, models/     the best model, see ``BestModel``
///     checkpoints/           what a stopped run resumes from, unless the settings name a folder
///     events.out.tfevents.*  the same for TensorBoard, see ``TensorBoardLog``
///     lock                   held by the process that owns the folder, see ``RunLock``
package struct RunDirectory: Sendable, Equatable {
  /// What to do if the folder already holds a run.
  package enum ExistingRun: Sendable, Equatable {
    case refuse
    /// Delete the files that a run writes, and nothing else.
    case replace
  }

  package let path: String

  package var configurationPath: String { "\(path)/config.resolved.yaml" }
  package var environmentPath: String { "\(path)/environment.json" }
  package var metricsPath: String { "\(path)/metrics.jsonl" }
  package var eventsPath: String { "\(path)/events.jsonl" }
  package var summaryPath: String { "\(path)/summary.json" }
  package var storePath: String { "\(path)/\(storeName)" }
  /// The name of the records.
  var storeName: String { "run.sqlite" }
  package var logDirectory: String { "\(path)/logs" }

  package var telemetryDirectory: String { "\(path)/telemetry" }

  /// The log of a process, such as `server-0`.
  package func logPath(of name: String) -> String { "\(logDirectory)/\(name).log" }

  /// A folder that exists already; nothing is checked.
  package init(existing path: String) {
    self.path = path
  }

  /// Creates the folder, with its parents, for a new run.
  ///
  /// - Throws: ``RuntimeError`` if it holds a run that may not be replaced, `CheckpointError` if it
  ///   cannot be created.
  package static func create(
    at path: String, existingRun: ExistingRun = .refuse
  ) throws -> RunDirectory {
    let directory = RunDirectory(existing: path)
    try RunStore.checkLength(of: directory.storePath)
    try directory.makeRoom(existingRun)
    for folder in [path, directory.logDirectory] { try DurableFile.makeFolder(folder) }
    return directory
  }

  /// Creates the folder for logs, if it is missing: a directory that was restored from a backup may
  /// have none.
  ///
  /// - Throws: `CheckpointError` if it cannot be created.
  package func makeLogFolder() throws { try DurableFile.makeFolder(logDirectory) }

  /// The directory of a run without `--run`:
  /// `runs/MODEL-DATASET/yyyymmdd-hhmmss-DIGEST`, in local time, with the first 8 digits of the
  /// configuration's digest.
  package static func standardPath(
    model: String, dataset: String, configurationDigest: String, date: Date,
    timeZone: TimeZone = .current
  ) -> String {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = timeZone
    let parts = calendar.dateComponents(
      [.year, .month, .day, .hour, .minute, .second], from: date)
    let stamp = String(
      format: "%04d%02d%02d-%02d%02d%02d", parts.year ?? 0, parts.month ?? 0, parts.day ?? 0,
      parts.hour ?? 0, parts.minute ?? 0, parts.second ?? 0)
    let name = "\(model)-\(dataset)".map { $0 == "/" ? "_" : $0 }
    return "runs/\(String(name))/\(stamp)-\(configurationDigest.prefix(8))"
  }

  package func writeConfiguration(_ yaml: String) throws {
    try DurableFile.write(Array(yaml.utf8), to: configurationPath)
  }

  /// The configuration as it was written.
  ///
  /// - Throws: ``RuntimeError`` if it cannot be read.
  package func configurationText() throws -> String {
    do {
      let bytes = try PlainFile.contents(
        of: configurationPath, atMost: ConfigurationLayer.largestFile)
      return String(decoding: bytes, as: UTF8.self)
    } catch {
      throw RuntimeError(
        exitCode: .inputMissing,
        message: "Cannot read the configuration '\(configurationPath)': \(error.reason).")
    }
  }

  /// Records with which command this process starts or resumes the run, and on which machine.
  /// Called by the process that the user started.
  ///
  /// - Parameter title: the run's name and labels, if the user gave any.
  package func recordStart(_ title: RunTitle = RunTitle()) throws {
    var environment = RunEnvironment.capture(
      version: Program.version, gitCommit: nil, openBLAS: .current, started: Date())
    environment.title = title
    environment.owner = RunTitle.user
    try writeEnvironment(environment)
  }

  /// Writes an environment, or adds it to that of the run that is resumed. One that cannot be read
  /// is replaced.
  package func writeEnvironment(_ environment: RunEnvironment) throws {
    var environment = environment
    if let bytes = try? PlainFile.contents(of: environmentPath, atMost: 16 << 20),
      let first = try? JSONDecoder().decode(RunEnvironment.self, from: Data(bytes))
    {
      environment = environment.resuming(first)
    }
    try DurableFile.write(try ResultJSON.encode(environment, isPretty: true), to: environmentPath)
  }

  /// Replaces the summary atomically: readers see the old one or the new one, never a part.
  package func writeSummary(_ summary: RunSummary) throws {
    try DurableFile.write(try ResultJSON.encode(summary, isPretty: true), to: summaryPath)
  }

  /// The records, with SQLite's own files for them.
  var storeFiles: [String] { ["", "-wal", "-shm"].map { storePath + $0 } }

  /// Whether there are records of a run.
  package var hasRecords: Bool { FileManager.default.fileExists(atPath: storePath) }

  /// Checks that the records are there if a run was begun here. Otherwise the coordinator would
  /// begin a new run with nodes that hold the tables of the old one.
  ///
  /// - Throws: ``RuntimeError`` if they are missing.
  func checkRecordsAreThere() throws {
    guard !hasRecords else { return }
    try checkNothingIsRecorded()
  }

  /// Checks that no file shows that a run was begun here, when the records hold none.
  ///
  /// - Throws: ``RuntimeError`` if one does.
  func checkNothingIsRecorded() throws {
    // These files are created after the records.
    let later = [summaryPath, metricsPath, BestModel.path(path)]
    guard let trace = later.first(where: FileManager.default.fileExists) else { return }
    throw RuntimeError(
      exitCode: .inputMissing,
      message: "Cannot resume the run in '\(path)': its records '\(storePath)' are missing, but "
        + "'\(trace)' shows that it was begun. Put them back and start the same command again, or "
        + "start from scratch with --overwrite.")
  }

  private var modelDirectory: String { "\(path)/\(BestModel.parentFolder)" }

  /// Where checkpoints are unless the settings name another folder; absolute, because servers may
  /// have another working directory.
  package var checkpointDirectory: String {
    FilePath.absolute("\(path)/checkpoints")
  }

  /// The files of a run, those that show the most progress first.
  private var runFiles: [String] {
    [summaryPath] + storeFiles
      + [metricsPath, eventsPath, environmentPath, configurationPath]
      + [BestModel.path(path)]
  }

  /// Whether the folder can be replaced without loss: its run was prepared and never begun.
  package var holdsOnlyPreparations: Bool {
    let files = FileManager.default
    let results = [summaryPath, metricsPath, BestModel.path(path)]
    guard !results.contains(where: files.fileExists) else { return false }
    guard files.fileExists(atPath: storePath) else { return true }
    guard let store = try? RunStore(path: storePath) else { return false }
    defer { try? store.close() }
    do {
      return try store.load() == nil
    } catch {
      return false
    }
  }

  private func makeRoom(_ existingRun: ExistingRun) throws {
    let files = FileManager.default
    guard let first = runFiles.first(where: files.fileExists) else { return }
    guard existingRun == .replace else {
      let kind = first == summaryPath ? "a run that has ended" : "a run that did not end"
      throw RuntimeError(
        exitCode: .cannotCreate,
        message: "Cannot start a run in '\(path)': it holds \(kind) ('\(first)' exists); name "
          + "another folder with --run, or replace the run with --overwrite.")
    }
    for file in oldFiles where files.fileExists(atPath: file) {
      do {
        try files.removeItem(atPath: file)
      } catch {
        throw FileFailure.describe(
          error, "remove '\(file)' of the old run", exitCode: .cannotCreate)
      }
    }
    // A folder with other files in it stays.
    for folder in [modelDirectory, checkpointDirectory, telemetryDirectory] { rmdir(folder) }
  }

  /// The files of an old run, in the order in which they are removed. `best.json` goes first, so
  /// that after an interruption it does not name a model that is incomplete or of the old run. The
  /// files of ``runFiles`` go last: as long as one exists, the folder counts as taken. Other files
  /// that users keep there are not touched.
  package var oldFiles: [String] {
    let models = names(in: modelDirectory) { BestModel.isFolder($0) }
    let checkpoints = names(in: checkpointDirectory) { $0.wholeMatch(of: /v\d+-g\d+/) != nil }
    let telemetry = names(in: telemetryDirectory) {
      $0.wholeMatch(of: /(launcher|train|coordinator|(server|worker)-\d+)\.(json|prom)/) != nil
    }
    let logs = names(in: logDirectory) {
      $0.wholeMatch(of: /(train|coordinator|(server|worker)-\d+)\.log(\.1)?/) != nil
    }
    return [BestModel.path(path)] + models + checkpoints + telemetry + logs
      + TensorBoardLog.files(in: path) + runFiles
  }

  private func names(in folder: String, where isOurs: (String) -> Bool) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter(isOurs).sorted().map { "\(folder)/\($0)" }
  }
}
