import Checkpoints

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The right of one process to write into a run directory: an advisory lock on its file `lock`,
/// which holds that process's id for people.
///
/// The system takes the lock back when the process ends, however that happens: a lock that is left
/// over cannot be. The file stays; were it deleted, two processes could hold locks on two files of
/// that name.
public struct RunLock: Sendable {
  private let descriptor: Int32

  /// Makes the folder if need be and takes its lock, until ``release()`` or the end of the process.
  ///
  /// On a file system without locks the directory is not protected.
  ///
  /// - Throws: ``RuntimeError`` when another process holds the lock or the file cannot be made,
  ///   `CheckpointError` when the folder cannot.
  public init(runDirectory path: String) throws {
    try DurableFile.makeFolder(path)
    let file = "\(path)/lock"
    descriptor = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw RuntimeError.system("write '\(file)'", errno: errno, exitCode: .cannotCreate)
    }
    if flock(descriptor, LOCK_EX | LOCK_NB) == 0 {
      writeOwner()
      return
    }
    let reason = errno
    if [ENOLCK, ENOSYS, EOPNOTSUPP].contains(reason) { return }
    let owner = readOwner()
    close(descriptor)
    guard reason == EWOULDBLOCK else {
      throw RuntimeError.system("lock '\(file)'", errno: reason, exitCode: .cannotCreate)
    }
    throw RuntimeError(
      exitCode: .cannotCreate,
      message: "Cannot start a run in '\(path)': \(owner) is writing a run there; wait for it to "
        + "end, or name another folder with --run.")
  }

  /// Lets other processes write into the directory. Called at most once.
  public func release() { close(descriptor) }

  /// A lock without its owner's name protects as well: failures are of no consequence.
  private func writeOwner() {
    let text = Array("\(getpid())\n".utf8)
    _ = ftruncate(descriptor, 0)
    _ = text.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
  }

  private func readOwner() -> String {
    var bytes = [UInt8](repeating: 0, count: 32)
    let count = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, 0) }
    let text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    return Int32(text.prefix { $0 != "\n" }).map { "process \($0)" } ?? "another process"
  }
}
