import Datasets
import Foundation

extension NewFolder {
  /// Begins a folder that is made from another one.
  ///
  /// - Throws: ``DatasetError`` if the source would be replaced, or as
  ///   ``init(path:replacesExisting:)``.
  package convenience init(
    path: String, replacesExisting: Bool, from source: String
  ) throws(DatasetError) {
    let resolved = { (path: String) in
      URL(fileURLWithPath: path).standardizedFileURL.resolvingSymlinksInPath().path
    }
    let (from, to) = (resolved(source), resolved(path))
    guard from != to, !from.hasPrefix("\(to)/") else {
      throw DatasetError(
        .configuration, path: path,
        "is the folder that is read, or holds it: it would be replaced by what is made from it; "
          + "name another folder with --out")
    }
    try self.init(path: path, replacesExisting: replacesExisting)
  }
}
