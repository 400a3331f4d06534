import Files
import Foundation
import Transport

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A private folder for the sockets of a local cluster, with a path short enough for the system:
/// the coordinator's, and the servers' where loopback is down.
///
/// The folder is locked while its process lives: cleaners of temporary files (systemd-tmpfiles)
/// skip locked folders, and by the missing lock the next start recognizes folders of killed
/// processes.
package struct SocketFolder: Sendable {
  package let path: String
  private let lock: Int32

  private static let prefix = "mrdib-run-"
  private static let socketName = "coordinator"

  /// Where the coordinator listens.
  var endpoint: String { "ipc://\(path)/\(Self.socketName)" }

  /// Where a server listens that has no port.
  func endpoint(ofServer rank: Int) -> String { "ipc://\(path)/server-\(rank)" }

  /// Whether a file of this name is a socket of a cluster, or its lock.
  private static func isOwnFile(_ name: String) -> Bool {
    name.wholeMatch(of: /(coordinator|server-\d+)(\.lock)?/) != nil
  }

  /// Makes a new folder, and removes those that killed processes of this user have left.
  ///
  /// - Parameter parents: folders to make it in, best first; nil: those that the environment names.
  /// - Throws: ``RuntimeError`` if it cannot be made in any of them.
  package init(in parents: [String]? = nil) throws {
    var problems: [String] = []
    for parent in parents ?? UserFolder.temporary(in: ProcessInfo.processInfo.environment) {
      // TMPDIR may have any length, the path of a socket may not.
      let longest = "\(parent)/\(Self.prefix)XXXXXX/\(Self.socketName)"
      guard Endpoint.isUsable(socketPath: longest) else {
        problems.append("the path of a socket would be too long in '\(parent.sanitized())'")
        continue
      }
      Self.removeLeftOvers(in: parent)
      if let (path, lock) = Self.make(in: parent) {
        self.path = path
        self.lock = lock
        return
      }
      problems.append("'\(parent.sanitized())': \(String(cString: strerror(errno)))")
    }
    throw RuntimeError(
      exitCode: .cannotCreate,
      message: "Cannot make a folder for sockets (\(problems.joined(separator: "; "))). Set TMPDIR "
        + "to a writable folder with a short path.")
  }

  /// - Returns: nil, with `errno` set, if the folder cannot be made.
  private static func make(in parent: String) -> (path: String, lock: Int32)? {
    // Another start may mistake a folder that is not locked yet for one of a killed process.
    for _ in 0..<8 {
      guard let path = UniqueFolder.make(in: parent, prefix: prefix) else { return nil }
      if let lock = lock(path) { return (path, lock) }
      rmdir(path)
    }
    errno = EAGAIN
    return nil
  }

  package func remove() {
    Self.empty(path)
    close(lock)
  }

  /// Creates the folder of a socket again that was removed while in use. A folder with another kind
  /// of name is not ours and is left alone.
  ///
  /// - Throws: ``RuntimeError`` if it cannot be made, or another user has made it.
  package static func makeAgain(_ path: String) throws {
    let name = URL(fileURLWithPath: path).lastPathComponent
    guard name.hasPrefix(prefix), mkdir(path, 0o700) != 0 else { return }
    let reason = errno
    guard reason == EEXIST, isOwn(path) else {
      throw RuntimeError.system(
        "make the folder for sockets '\(path)' again", errno: reason, exitCode: .cannotCreate)
    }
  }

  // MARK: Folders of killed processes

  private static func removeLeftOvers(in parent: String) {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
    for name in names where name.wholeMatch(of: /mrdib-run-[A-Za-z0-9]{6}/) != nil {
      let path = "\(parent)/\(name)"
      guard isOwn(path), let lock = lock(path) else { continue }
      defer { close(lock) }
      if !isListening("\(path)/\(socketName)") { empty(path) }
    }
  }

  /// Removes the folder, if it holds nothing but sockets and locks of a cluster.
  private static func empty(_ path: String) {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    guard files.allSatisfy(isOwnFile) else { return }
    for file in files { unlink("\(path)/\(file)") }
    // If this fails, an empty folder is left, which does no harm.
    rmdir(path)
  }

  /// Whether it is a folder, no link, that belongs to this user alone.
  private static func isOwn(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
      && status.st_uid == geteuid() && status.st_mode & 0o077 == 0
  }

  /// A descriptor that holds the lock; nil if another process has it, or the folder is gone.
  private static func lock(_ path: String) -> Int32? {
    guard isOwn(path), let folder = try? PlainFile.openFolder(path) else { return nil }
    // On a file system without locks no process can hold it.
    let isTaken = flock(folder, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK
    guard !isTaken, let identity = FileIdentity(descriptor: folder),
      FileIdentity(path: path) == identity
    else {
      close(folder)
      return nil
    }
    return folder
  }

  /// Whether a process listens there although no lock is held: its folder was removed and created
  /// again.
  private static func isListening(_ path: String) -> Bool {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = path.utf8CString.map { UInt8(bitPattern: $0) }
    let hasRoom = withUnsafeMutableBytes(of: &address.sun_path) { room in
      guard bytes.count <= room.count else { return false }
      room.copyBytes(from: bytes)
      return true
    }
    #if canImport(Glibc)
      let kind = Int32(SOCK_STREAM.rawValue)
    #else
      let kind = SOCK_STREAM
    #endif
    let peer = socket(AF_UNIX, kind, 0)
    guard hasRoom, peer >= 0 else { return hasRoom }
    defer { close(peer) }
    _ = fcntl(peer, F_SETFL, O_NONBLOCK)
    let size = socklen_t(MemoryLayout<sockaddr_un>.size)
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(peer, $0, size) }
    }
    return result == 0 || (errno != ENOENT && errno != ECONNREFUSED)
  }
}
