#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Replaces files so that after a crash at any moment either the old or the new content is there.
public enum DurableFile {
  /// Writes beside `path`, synchronises, renames over it, synchronises the folder.
  ///
  /// - Throws: ``CheckpointError`` with what stands in the way; the old file is then untouched.
  public static func write(_ bytes: [UInt8], to path: String) throws(CheckpointError) {
    let writer = try DurableFileWriter(path: path, suffix: ".tmp-\(getpid())")
    try bytes.withUnsafeBufferPointer { (bytes) throws(CheckpointError) in
      try writer.append(UnsafeRawBufferPointer(bytes))
    }
    try writer.finish()
  }

  /// Makes what was created, renamed or deleted in a folder last.
  package static func synchronizeFolder(_ path: String) throws(CheckpointError) {
    let folder = path.isEmpty ? "." : path
    let file = try FileDescriptor(
      path: folder, flags: O_RDONLY | O_DIRECTORY, purpose: "synchronise '\(folder)'")
    try file.synchronize(purpose: "synchronise '\(folder)'")
  }

  /// Makes a folder, and those that it is in, if they are not there. What it makes lasts.
  ///
  /// - Parameter makesParents: whether the folder that it is in is made, too.
  package static func makeFolder(
    _ path: String, makesParents: Bool = true
  ) throws(CheckpointError) {
    if mkdir(path, 0o777) == 0 {
      return try synchronizeFolder(parent(of: path))
    }
    var status = stat()
    switch errno {
    case EEXIST where stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR: return
    case ENOENT where makesParents && !parent(of: path).isEmpty && parent(of: path) != "/":
      try makeFolder(parent(of: path))
      guard mkdir(path, 0o777) == 0 || errno == EEXIST else {
        throw .system("make the folder '\(path)'", errno: errno, .cannotCreate)
      }
      try synchronizeFolder(parent(of: path))
    case let code: throw .system("make the folder '\(path)'", errno: code, .cannotCreate)
    }
  }

  /// The folder that a path is in; empty for a bare name.
  static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "" }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}
