import Checkpoints
import Coordination
import Files

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The right of one process to write into a run directory: an advisory lock on the folder, and on
/// its file `lock`, which holds that process's id for people.
///
/// The system takes the locks back when the process ends, however that happens: a lock that is left
/// over cannot be. The file stays. The folder is locked as well because the file may be deleted,
/// and the file because some file systems do not lock folders.
public struct RunLock: Sendable {
  private let descriptors: [Int32]

  /// Makes the folder if need be and takes its lock, until ``release()`` or the end of the process.
  ///
  /// On a file system without locks the directory is not protected.
  ///
  /// - Throws: `CoordinationError` when the path is too long for the run's records; nothing is made
  ///   then. ``RuntimeError`` when another process holds the lock or the file cannot be made,
  ///   `CheckpointError` when the folder cannot.
  public init(runDirectory path: String) throws {
    try RunStore.checkLength(of: RunDirectory(existing: path).storePath)
    try DurableFile.makeFolder(path)
    let file = "\(path)/lock"
    let folder = try RuntimeError.opening("lock '\(path)'") { () throws(FileProblem) in
      try PlainFile.openFolder(path)
    }
    let descriptor: Int32
    do {
      descriptor = try RuntimeError.opening("write '\(file)'") { () throws(FileProblem) in
        try PlainFile.open(file, .update)
      }
    } catch {
      close(folder)
      throw error
    }
    descriptors = [folder, descriptor]
    guard flock(folder, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK else {
      throw refusal(in: path)
    }
    if flock(descriptor, LOCK_EX | LOCK_NB) == 0 {
      Self.writeOwner(to: descriptor)
      return
    }
    let reason = errno
    if [ENOLCK, ENOSYS, EOPNOTSUPP].contains(reason) { return }
    guard reason == EWOULDBLOCK else {
      release()
      throw RuntimeError.system("lock '\(file)'", errno: reason, exitCode: .cannotCreate)
    }
    throw refusal(in: path)
  }

  /// Lets other processes write into the directory. Called at most once.
  public func release() {
    for descriptor in descriptors { close(descriptor) }
  }

  /// Another process has the directory; this one lets go of it.
  private func refusal(in path: String) -> RuntimeError {
    let owner = Self.readOwner(from: descriptors[1])
    release()
    return RuntimeError(
      exitCode: .cannotCreate,
      message: "Cannot start a run in '\(path)': \(owner) is writing a run there; wait for it to "
        + "end, or name another folder with --run.")
  }

  /// A lock without its owner's name protects as well: failures are of no consequence.
  private static func writeOwner(to descriptor: Int32) {
    let text = Array("\(getpid())\n".utf8)
    _ = ftruncate(descriptor, 0)
    _ = text.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
  }

  private static func readOwner(from descriptor: Int32) -> String {
    var bytes = [UInt8](repeating: 0, count: 32)
    let count = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, 0) }
    let text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    return Int32(text.prefix { $0 != "\n" }).map { "process \($0)" } ?? "another process"
  }
}
