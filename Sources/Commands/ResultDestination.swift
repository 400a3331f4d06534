import Datasets
import Files
import Foundation
import Runtime

/// Where the results of a command go: stdout, or a file that has its name when it is complete.
struct ResultDestination {
  private let file: AtomicFile?

  /// - Parameter path: of the file; nil for stdout. A file of that name is replaced.
  /// - Throws: ``RuntimeError`` if something other than a file has the name; `DatasetError` if the
  ///   file cannot be created.
  init(path: String?) throws {
    guard let path else {
      file = nil
      return
    }
    let kind = try? FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
    guard kind == nil || kind == .typeRegular || kind == .typeSymbolicLink else {
      throw RuntimeError(
        exitCode: .cannotCreate,
        message:
          "Cannot write '\(path)' (--out): it is there and is no plain file. Name a new file, "
          + "or redirect stdout.")
    }
    file = try AtomicFile(path: path)
  }

  /// - Parameter text: lines, each with its newline.
  func write(_ text: String) throws {
    if let file { try file.write(Array(text.utf8)) } else { StandardOutput.write(text: text) }
  }

  /// Whether results still reach their reader.
  var isWanted: Bool { file != nil || StandardOutput.isWanted }

  /// Gives the file its name.
  func commit() throws { try file?.commit() }
}
