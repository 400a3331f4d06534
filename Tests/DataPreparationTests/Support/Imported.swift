import DataPreparation
import Datasets
import TestSupport

/// Keeps what an import reports, and stops it if asked to.
final class RecordingObserver: ImportObserver {
  private(set) var notices: [String] = []
  private(set) var warnings: [String] = []
  private(set) var progressCount = 0
  private(set) var lastPosition = 0
  private(set) var lastSize = 0
  /// The import is stopped at this call of ``noteProgress(_:of:)``.
  var stopsAt: Int?

  func noteProgress(_ position: Int, of size: Int) throws(DatasetError) {
    progressCount += 1
    (lastPosition, lastSize) = (position, size)
    if progressCount == stopsAt { throw DatasetError(.changed, path: "", "was stopped") }
  }

  func notify(_ line: String) { notices.append(line) }
  func warn(_ line: String) { warnings.append(line) }
}

/// A source in a folder of its own, and what an import makes of it.
struct Imported {
  let folder: TemporaryFolder
  let observer = RecordingObserver()
  let summary: DataImport.Summary

  /// Imports files; the first is the source.
  ///
  /// - Parameter source: the source, if it is not the first file: `.` for their folder.
  init(
    _ files: KeyValuePairs<String, [UInt8]>, source: String? = nil,
    change: (inout DataImport.Options, String) -> Void = { _, _ in }
  ) throws {
    folder = try TemporaryFolder(name: "source")
    for (name, bytes) in files { try folder.write(bytes, to: name) }
    var options = DataImport.Options(
      source: folder.path(source ?? files[0].key), out: folder.path("set"))
    if source == "." { options.source = folder.path }
    change(&options, folder.path)
    summary = try DataImport.run(options, observer: observer)
  }

  /// Imports a text.
  init(
    _ text: String, name: String = "ratings.csv",
    change: (inout DataImport.Options) -> Void = { _ in }
  ) throws {
    try self.init([name: Array(text.utf8)]) { options, _ in change(&options) }
  }

  func text(_ file: String) throws -> String { try folder.text("set/\(file)") }

  /// `NAME.inter`
  var interactions: String { get throws { try text("set.inter") } }
  var users: String { get throws { try text("users.tsv") } }
  var items: String { get throws { try text("items.tsv") } }

  /// The message of an import that is refused; nothing must be left of it.
  static func refusal(
    _ text: String, name: String = "ratings.csv",
    change: (inout DataImport.Options) -> Void = { _ in }
  ) throws -> DatasetError? {
    try refusal(Array(text.utf8), name: name, change: change)
  }

  static func refusal(
    _ bytes: [UInt8], name: String = "ratings.csv", observer: RecordingObserver? = nil,
    change: (inout DataImport.Options) -> Void = { _ in }
  ) throws -> DatasetError? {
    let folder = try TemporaryFolder(name: "source")
    try folder.write(bytes, to: name)
    var options = DataImport.Options(source: folder.path(name), out: folder.path("set"))
    change(&options)
    do throws(DatasetError) {
      _ = try DataImport.run(options, observer: observer ?? RecordingObserver())
      return nil
    } catch {
      let left = try folder.files
      return left == [name] ? error : DatasetError(.changed, path: "", "left \(left)")
    }
  }
}
