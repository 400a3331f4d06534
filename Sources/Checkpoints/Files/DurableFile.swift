internal import Files

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
      folder, .synchronizeFolder, purpose: "synchronise '\(folder)'")
    try file.synchronize(purpose: "synchronise '\(folder)'")
  }

  /// Makes a folder, and those that it is in, if they are not there. What it makes lasts.
  ///
  /// - Parameter makesParents: whether the folder that it is in is made, too.
  package static func makeFolder(
    _ path: String, makesParents: Bool = true
  ) throws(CheckpointError) {
    if mkdir(path, 0o777) == 0 {
      return try synchronizeFolder(FilePath.parent(of: path))
    }
    var status = stat()
    switch errno {
    case EEXIST where stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR: return
    case ENOENT
    where makesParents && !FilePath.parent(of: path).isEmpty && FilePath.parent(of: path) != "/":
      try makeFolder(FilePath.parent(of: path))
      guard mkdir(path, 0o777) == 0 || errno == EEXIST else {
        throw .system("make the folder '\(path)'", errno: errno, .cannotCreate)
      }
      try synchronizeFolder(FilePath.parent(of: path))
    case let code: throw .system("make the folder '\(path)'", errno: code, .cannotCreate)
    }
  }
}
