#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Paths as the system reads them: nothing is looked up, and `..` behind a symbolic link keeps its
/// meaning.
package enum FilePath {
  /// Bytes that a path has at most.
  private static let mostBytes = 4095

  /// The path from the root on, for processes with other working directories.
  package static func absolute(_ path: String) -> String {
    guard let whole = path.hasPrefix("/") ? path : workingDirectory.map({ "\($0)/\(path)" }) else {
      return path
    }
    return "/" + whole.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
  }

  /// The folder that a path is in; empty for a bare name.
  package static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "" }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// Refuses a folder whose path leaves no room for the names of what is to be written in it: that
  /// shall not be found out when half of it is there.
  ///
  /// - Parameter byteCount: of the longest of these names, with folders in between.
  package static func checkRoom(in folder: String, for byteCount: Int) throws(FileProblem) {
    guard folder.utf8.count + 1 + byteCount <= mostBytes else { throw .system(ENAMETOOLONG) }
  }

  /// Whether the path of the working directory is UTF-8. Of one that is gone it does not matter.
  package static var isWorkingDirectoryReadable: Bool {
    guard let path = getcwd(nil, 0) else { return true }
    defer { free(path) }
    return String(validatingCString: path) != nil
  }

  private static var workingDirectory: String? {
    guard let path = getcwd(nil, 0) else { return nil }
    defer { free(path) }
    return String(validatingCString: path)
  }
}
