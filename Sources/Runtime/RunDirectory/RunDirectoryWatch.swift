import Dispatch
import Files
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Notices when the paths of a run no longer lead to what its process holds open: the directory
/// was moved or deleted, another one stands in its place, or the records are gone. Going on would
/// write the best model to one place and the records to another.
package final class RunDirectoryWatch: Sendable {
  private let path: String
  /// Open for as long as the watch is there, so that no other folder can have the same identity.
  private let descriptor: Int32
  private let folder: FileIdentity
  /// Files that the process has open, by path.
  private let files = Mutex<[String: FileIdentity]>([:])
  private let queue = DispatchQueue(label: "mrdib.run-directory", qos: .utility)

  /// Seconds between two looks of ``start(report:)``.
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

  /// From now on the file that stands at a path has to stay there. Without one nothing is watched.
  package func hold(_ path: String) {
    let identity = FileIdentity(path: path)
    files.withLock { $0[path] = identity }
  }

  /// Looks whether everything is in its place.
  ///
  /// - Throws: ``RuntimeError`` that says what is not.
  package func check() throws {
    guard Self.leads(path, to: folder) else {
      throw RuntimeError(
        exitCode: .inputOutput,
        message: "The run in '\(path)' cannot go on: its directory was moved or deleted while the "
          + "run used it, or another folder stands in its place. Put it back, and start the same "
          + "command again.")
    }
    let files = files.withLock { $0 }
    for (file, identity) in files.sorted(by: { $0.key < $1.key })
    where !Self.leads(file, to: identity) {
      throw RuntimeError(
        exitCode: .inputOutput,
        message: "The run in '\(path)' cannot go on: '\(file)' was moved, deleted or replaced "
          + "while the run used it. Put it back and start the same command again, or train anew "
          + "with --overwrite.")
    }
  }

  /// A path of which the system says nothing is given the benefit of the doubt.
  private static func leads(_ path: String, to identity: FileIdentity) -> Bool {
    switch FileIdentity.lookup(path) {
    case .found(let found): found == identity
    case .nothing: false
    case .unknown: true
    }
  }

  /// Looks again and again, on a queue of its own because the disk may stall.
  ///
  /// - Parameter report: called once on that queue, when something is not in its place.
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
