internal import Foundation

extension DatasetDescription {
  /// The file that shows that a folder holds a data set: its description, or interactions. Nothing
  /// is read.
  ///
  /// - Returns: the file's name; nil if the folder holds no data set, or does not exist.
  package static func sign(in folder: String) -> String? {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder))?.sorted() ?? []
    return files.first { $0 == DatasetDescriptionFile.fileName }
      ?? files.first { $0.hasSuffix(".inter") }
  }
}
