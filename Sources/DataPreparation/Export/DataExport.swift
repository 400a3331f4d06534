import Datasets
import Files
import Foundation

/// Writes a data set's folder for another program, with original ids, titles and features.
package struct DataExport: Sendable {
  /// For which program.
  package enum Format: String, Sendable, CaseIterable {
    /// Atomic files of RecBole.
    case recbole
    /// The layout of MMRec.
    case mmrec
  }

  package let format: Format

  package init(_ format: Format) { self.format = format }

  /// Such a folder, which may be replaced.
  private var content: NewFolder.Content {
    switch format {
    case .recbole: RecBoleFiles.content
    case .mmrec: MMRecFiles.content
    }
  }

  /// Reads a folder and writes the other program's.
  ///
  /// - Parameters:
  ///   - folder: of the data set.
  ///   - path: the folder to make. Its name is that of the files in it, because both programs look
  ///     for files that are named like their folder.
  ///   - report: called with the progress.
  /// - Returns: the names of the files, and what could not be taken over.
  /// - Throws: ``DatasetError`` if the folder cannot be read, or holds what the format cannot; and
  ///   what `report` throws. Nothing is written then.
  package func run(
    folder: String, to path: String, replacesExisting: Bool, report: StageReport
  ) throws -> (files: [String], notes: [String]) {
    let name = (URL(fileURLWithPath: path).standardizedFileURL.path as NSString).lastPathComponent
    guard ModalityDescription.isName(name) else {
      throw DatasetError(
        .configuration, path: path,
        "cannot be exported to: the files are named like the folder, and a name is 1 to 32 "
          + "letters, digits, '_' or '-'; name another one with --out")
    }
    let target = try NewFolder(
      path: path, replacesExisting: replacesExisting, content: content, from: folder)
    try report("reading", nil)
    let (source, columns) = try SourceFolder.read(folder)
    let notes: [String]
    switch format {
    case .recbole:
      notes = try RecBoleFiles(name: name, source: source, columns: columns)
        .write(to: target, report: report)
    case .mmrec:
      notes = try MMRecFiles(name: name, source: source, columns: columns)
        .write(to: target, report: report)
    }
    let files = try PlainFile.names(in: target.workPath, atMost: 1000)
    try target.commit()
    return (files, notes)
  }
}
