import Files
import Foundation

/// The runs in a folder and its subfolders.
package struct RunListing: Sendable, Encodable {
  /// Where they were searched.
  package let folder: String
  /// The newest start first.
  package let runs: [ListedRun]
  private let now: Date

  enum CodingKeys: String, CodingKey { case folder, runs }

  /// The most folders that are looked at.
  private static let mostFolders = 100_000

  /// Reads the files of all runs.
  ///
  /// - Parameters:
  ///   - labels: which a run must have to be listed.
  ///   - states: of which it must have one.
  /// - Throws: ``RuntimeError`` if the folder cannot be read, or has too many subfolders.
  package init(
    folder: String, labels: [String: String] = [:],
    states: [RunState] = RunState.ofFiles
  ) throws {
    self.folder = folder
    let now = Date()
    self.now = now
    do {
      close(try PlainFile.openFolder(folder))
    } catch {
      throw RuntimeError(
        exitCode: .inputMissing,
        message: "Cannot list the runs in '\(folder)': \(error.reason). Name a folder of runs.")
    }
    runs = try Self.search(folder).map { ListedRun(folder: $0, at: now) }
      .filter { run in
        states.contains(run.state) && labels.allSatisfy { run.labels[$0.key] == $0.value }
      }
      .sorted { ($0.age ?? .infinity, $0.folder) < ($1.age ?? .infinity, $1.folder) }
  }

  /// The run in a folder.
  ///
  /// - Throws: ``RuntimeError`` if the folder holds none.
  package static func run(in folder: String) throws -> ListedRun {
    guard ListedRun.isRun(folder) else {
      throw RuntimeError(
        exitCode: .inputMissing,
        message: "There is no run in '\(folder)': it has neither environment.json nor run.sqlite. "
          + "Name the directory of a run; 'mrdib runs list FOLDER' lists those in a folder.")
    }
    return ListedRun(folder: folder, at: Date())
  }

  private static func search(_ folder: String) throws -> [String] {
    let search = RunSearch(in: folder, atMost: mostFolders)
    guard search.isComplete else {
      throw RuntimeError(
        exitCode: .usage,
        message: "Cannot list the runs in '\(folder)': it has more than \(mostFolders) "
          + "subfolders. Name a folder with runs only.")
    }
    return search.folders
  }

  /// A table with a line per run, then the problems.
  package var lines: [String] {
    guard !runs.isEmpty else { return ["no runs in '\(folder)'"] }
    let table = TextTable(
      header: [
        "run", "name", "state", "model", "data", "epoch", "best", "age", "owner", "labels",
      ],
      rows: runs.map { run in
        [
          run.folder, run.name ?? "-", run.state.rawValue, run.model ?? "-", run.dataName ?? "-",
          run.epoch.map(String.init) ?? "-", run.best?.text ?? "-",
          run.age.map(ProgressFormat.duration) ?? "-", run.owner ?? "-",
          run.labelText ?? "-",
        ]
      }, leftColumns: 10)
    return table.lines + runs.compactMap { run in run.problem.map { "\(run.folder): \($0)" } }
  }
}

extension ListedRun {
  /// The last part of the data set's folder.
  fileprivate var dataName: String? {
    data.flatMap { $0.split(separator: "/").last.map(String.init) }
  }

  /// `key=value` of every label; nil without labels.
  fileprivate var labelText: String? {
    labels.isEmpty
      ? nil
      : labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
  }

  /// The record of the run, a name and a value in each line, separated by a tab.
  package var lines: [String] {
    let values: [(String, String?)] = [
      ("run", folder), ("state", state.rawValue), ("message", message), ("name", name),
      ("owner", owner),
      ("labels", labelText), ("model", model), ("data", data),
      ("epoch", epoch.map(String.init)), ("best", best?.text),
      ("started", started), ("age", age.map(ProgressFormat.duration)),
      ("since the last epoch", sinceEpoch.map(ProgressFormat.duration)), ("host", host),
      ("process", process.map(String.init)),
      ("command", commandLine?.map(ShellWord.quoted).joined(separator: " ")),
      ("problem", problem),
    ]
    return values.compactMap { name, value in value.map { "\(name)\t\($0)" } }
  }
}

extension ListedRun.Metric {
  fileprivate var text: String { "\(name) \(ProgressFormat.compact(value)) at \(epoch)" }
}
