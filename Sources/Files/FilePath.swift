#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Works with paths as text. It resolves no links, so `..` after a symbolic link keeps the meaning
/// that the system gives it.
package enum FilePath {
  /// The largest number of bytes in a path.
  private static let mostBytes = 4095

  /// The path from the root, for processes with other working directories.
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

  /// Throws if the path of a folder is too long for the files that will be written in it, so that
  /// this is noticed before some of them are written.
  ///
  /// - Parameter byteCount: the length of the longest of their names, with folders in between.
  package static func checkRoom(in folder: String, for byteCount: Int) throws(FileProblem) {
    guard folder.utf8.count + 1 + byteCount <= mostBytes else { throw .system(ENAMETOOLONG) }
  }

  /// Whether the path of the working directory is UTF-8; also true if the directory is gone.
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
