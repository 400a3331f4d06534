import Foundation

/// Which file it is, how large, and when it was changed: what tells without reading it whether a
/// file is the one that it was.
struct FileStamp: Sendable, Equatable {
  private let device: UInt64
  private let inode: UInt64
  private let byteCount: Int64
  /// Of the content, and of content and owner: the second cannot be set to a time of one's choice.
  private let modified: Time
  private let changed: Time

  private struct Time: Sendable, Equatable {
    let seconds: Int
    let nanoseconds: Int

    init(_ time: timespec) {
      (seconds, nanoseconds) = (Int(time.tv_sec), Int(time.tv_nsec))
    }
  }

  init(_ status: stat) {
    device = UInt64(truncatingIfNeeded: status.st_dev)
    inode = UInt64(truncatingIfNeeded: status.st_ino)
    byteCount = Int64(status.st_size)
    #if canImport(Glibc)
      (modified, changed) = (Time(status.st_mtim), Time(status.st_ctim))
    #else
      (modified, changed) = (Time(status.st_mtimespec), Time(status.st_ctimespec))
    #endif
  }

  /// Nil if nothing is there, or the system does not say what.
  init?(path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    self.init(status)
  }

  /// Whether it is the same file, whatever became of it.
  func isSameFile(as other: FileStamp) -> Bool {
    device == other.device && inode == other.inode
  }

  func hasSize(of other: FileStamp) -> Bool { byteCount == other.byteCount }
}
