import Checkpoints
import Coordinator
import Files
import Foundation

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The right of one process to write into the folder of a run or a sweep: an advisory lock on the
/// folder, and on its file `lock`, which holds the process's id for messages.
///
/// The system releases the locks when the process ends for any reason, so no stale lock can be left
/// over. The file stays. The folder is locked as well because the file may be deleted, and the file
/// because some file systems do not lock folders.
package struct RunLock: Sendable {
  private let descriptors: [Int32]

  /// Takes the lock of a run directory, until ``release()`` or the end of the process; creates the
  /// folder if it is missing.
  ///
  /// On a file system without locks the directory is not protected.
  ///
  /// - Throws: `CoordinationError` when the path is too long for the run's records; nothing is
  ///   created then. ``RuntimeError`` when another process holds the lock or the file cannot be
  ///   created, `CheckpointError` when the folder cannot.
  package init(runDirectory path: String) throws {
    try RunStore.checkLength(of: RunDirectory(existing: path).storePath)
    try self.init(folder: path, of: "run")
  }

  /// Takes the lock of a sweep's folder, as ``init(runDirectory:)`` does for a run.
  package init(sweepFolder path: String) throws {
    try self.init(folder: path, of: "sweep")
  }

  private init(folder path: String, of kind: String) throws {
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
    guard Self.lock(folder) || errno != EWOULDBLOCK else {
      throw refusal(of: kind, in: path)
    }
    if Self.lock(descriptor) {
      Self.writeOwner(to: descriptor)
      return
    }
    let reason = errno
    if [ENOLCK, ENOSYS, EOPNOTSUPP].contains(reason) { return }
    guard reason == EWOULDBLOCK else {
      release()
      throw RuntimeError.system("lock '\(file)'", errno: reason, exitCode: .cannotCreate)
    }
    throw refusal(of: kind, in: path)
  }

  /// Takes a lock without waiting for a process that keeps it. ``RunLockHolder`` has it for
  /// moments, which are waited for.
  ///
  /// - Returns: whether the lock is taken; else `errno` says why not.
  private static func lock(_ descriptor: Int32) -> Bool {
    for _ in 0..<5 {
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
      guard errno == EWOULDBLOCK else { return false }
      usleep(10_000)
    }
    return flock(descriptor, LOCK_EX | LOCK_NB) == 0
  }

  /// Releases the lock. Called at most once.
  package func release() {
    for descriptor in descriptors { close(descriptor) }
  }

  /// The error when another process holds the lock; closes the descriptors.
  private func refusal(of kind: String, in path: String) -> RuntimeError {
    let owner = Self.readOwner(from: descriptors[1])
    release()
    return RuntimeError(
      exitCode: .cannotCreate,
      message: "Cannot start a \(kind) in '\(path)': \(owner) is using the folder; wait for it to "
        + "end, or name another folder with --run.")
  }

  /// Failures are ignored: the lock protects without the id in its file, too.
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
