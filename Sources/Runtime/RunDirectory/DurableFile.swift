#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Replaces files so that after a crash at any moment either the old or the new content is there.
public enum DurableFile {
  /// Writes beside `path`, synchronises, renames over it, synchronises the folder.
  ///
  /// - Throws: ``RuntimeError`` with what stands in the way; the old file is then untouched.
  public static func write(_ bytes: [UInt8], to path: String) throws {
    let temporary = "\(path).tmp-\(getpid())"
    do {
      let file = try FileDescriptor(
        path: temporary, flags: O_WRONLY | O_CREAT | O_TRUNC, purpose: "write '\(path)'")
      try file.writeAll(bytes, purpose: "write '\(path)'")
      try file.synchronize(purpose: "write '\(path)'")
    } catch {
      unlink(temporary)
      throw error
    }
    guard rename(temporary, path) == 0 else {
      let code = errno
      unlink(temporary)
      throw RuntimeError.system("write '\(path)'", errno: code, exitCode: .inputOutput)
    }
    try synchronizeFolder(of: path)
  }

  private static func synchronizeFolder(of path: String) throws {
    let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    let file = try FileDescriptor(
      path: folder.isEmpty ? "/" : folder, flags: O_RDONLY | O_DIRECTORY,
      purpose: "synchronise '\(folder)'")
    try file.synchronize(purpose: "synchronise '\(folder)'")
  }
}
