import Dispatch
import Files
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Detects that a run directory, or a file that the process has open in it, was moved, deleted or
/// replaced. Without this check the best model would be written to one place and the records to
/// another.
package final class RunDirectoryWatch: Sendable {
  private let path: String
  /// Kept open, so that no other folder can get the same identity.
  private let descriptor: Int32
  private let folder: FileIdentity
  /// Files that the process has open, by path.
  private let files = Mutex<[String: FileIdentity]>([:])
  private let queue = DispatchQueue(label: "mrdib.run-directory", qos: .utility)

  /// Seconds between two checks of ``start(report:)``.
  private static let interval = 1.0

  /// - Throws: ``RuntimeError`` if the folder cannot be opened.
  package init(_ directory: RunDirectory) throws {
    path = directory.path
    descriptor = try RuntimeError.opening("use the run directory '\(path)'") {
      () throws(FileProblem) in try PlainFile.openFolder(directory.path)
    }
    guard let folder = FileIdentity(descriptor: descriptor) else {
      let reason = errno
      close(descriptor)
      throw RuntimeError.system(
        "use the run directory '\(path)'", errno: reason, exitCode: .inputOutput)
    }
    self.folder = folder
  }

  deinit { close(descriptor) }

  /// Watches the file that is at a path now. If there is none, nothing is watched.
  package func hold(_ path: String) {
    let identity = FileIdentity(path: path)
    files.withLock { $0[path] = identity }
  }

  /// Checks that the directory and all watched files are still in their places.
  ///
  /// - Throws: ``RuntimeError`` that names what is not.
  package func check() throws {
    guard folder.isAt(path) else {
      throw RuntimeError(
        exitCode: .inputOutput,
        message: "The run in '\(path)' cannot continue: its directory was moved, deleted or "
          + "replaced during the run. Put it back and start the same command again.")
    }
    let files = files.withLock { $0 }
    for (file, identity) in files.sorted(by: { $0.key < $1.key }) where !identity.isAt(file) {
      throw RuntimeError(
        exitCode: .inputOutput,
        message: "The run in '\(path)' cannot continue: '\(file)' was moved, deleted or replaced "
          + "during the run. Put it back and start the same command again, or start from scratch "
          + "with --overwrite.")
    }
  }

  /// Checks once a second, on a queue of its own because the disk may stall.
  ///
  /// - Parameter report: called once, on that queue, with the first error.
  package func start(report: @escaping @Sendable (any Error) -> Void) {
    queue.asyncAfter(deadline: .now() + Self.interval) { [weak self] in
      guard let self else { return }
      do {
        try check()
        start(report: report)
      } catch {
        report(error)
      }
    }
  }
}

/// Identifies a file by device and inode. A path may later lead to another file, or to none; the
/// identity stays with the file.
struct FileIdentity: Sendable, Equatable {
  private let device: UInt64
  private let inode: UInt64

  /// nil if there is no file at the path, or the system cannot determine it.
  init?(path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    self.init(status)
  }

  /// Whether this file is still at a path. True also if the system cannot determine it, for example
  /// while a network share is unreachable.
  func isAt(_ path: String) -> Bool {
    var status = stat()
    guard stat(path, &status) == 0 else { return errno != ENOENT && errno != ENOTDIR }
    return FileIdentity(status) == self
  }

  /// nil if the descriptor is not open.
  init?(descriptor: Int32) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return nil }
    self.init(status)
  }

  private init(_ status: stat) {
    device = UInt64(truncatingIfNeeded: status.st_dev)
    inode = UInt64(truncatingIfNeeded: status.st_ino)
  }
}
