internal import CMemoryMaps
import Files
internal import Foundation

/// A file mapped into memory for reading: its pages are loaded when touched and shared by all
/// processes on the machine.
///
/// If the file is shortened while it is mapped, touching a page that is gone ends this process, as
/// with every memory map, but with a message and exit code 74. Data sets are written by rename (see
/// ``AtomicFile``), which does not affect existing maps.
///
/// `Sendable` is unchecked because the mapping is read only and lives as long as the object.
package final class MappedFile: @unchecked Sendable {
  package let path: String
  /// Everything in the file.
  package let bytes: UnsafeRawBufferPointer
  /// The stamp of the file when it was opened.
  let stamp: FileStamp
  private let mapNumber: Int32

  /// - Throws: ``DatasetError`` if `path` is not a regular file or cannot be read.
  package init(path: String) throws(DatasetError) {
    self.path = path
    let descriptor: Int32
    do {
      descriptor = try PlainFile.open(path, .read)
    } catch {
      throw SystemError.reading(path, error)
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw SystemError.reading(path, .system(errno))
    }
    stamp = FileStamp(status)
    guard status.st_size > 0 else {
      mapNumber = -1
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let size = Int(exactly: status.st_size),
      let start = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED
    else { throw SystemError.reading(path, .system(errno)) }
    bytes = UnsafeRawBufferPointer(start: start, count: size)
    mapNumber = cmaps_register(
      start, size,
      "mrdib: Cannot continue: '\(path.sanitized(atMost: 600))' was shortened while it was in use, "
        + "or its disk can no longer be read (bus error). Restore the file and start the same "
        + "command again.")
  }

  /// Lets the system take back the memory of some bytes; touching them loads them again.
  ///
  /// - Precondition: they begin at the start of a page.
  func forget(_ range: Range<Int>) {
    guard let base = bytes.baseAddress else { return }
    madvise(UnsafeMutableRawPointer(mutating: base + range.lowerBound), range.count, MADV_DONTNEED)
  }

  /// Whether the file was written to since it was opened. A file that was renamed to its path is
  /// another file.
  package var wasOverwritten: Bool {
    guard let now = FileStamp(path: path), now.isSameFile(as: stamp) else { return false }
    return now != stamp
  }

  /// Must be called by every job on a dispatch queue that reads mapped files: signals are blocked
  /// on those threads, and a bus error would end the process without its message.
  package static func unblockBusErrors() { cmaps_unblock() }

  deinit {
    cmaps_unregister(mapNumber)
    if let start = bytes.baseAddress {
      munmap(UnsafeMutableRawPointer(mutating: start), bytes.count)
    }
  }
}

/// Identity, size and times of a file, which show without reading it whether it is still the same.
struct FileStamp: Sendable, Equatable {
  private let device: UInt64
  private let inode: UInt64
  private let byteCount: Int64
  /// When the content changed, and when content or metadata did; programs cannot set the latter.
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

  /// Nil if the file cannot be examined; `errno` is the reason.
  init?(path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    self.init(status)
  }

  /// Whether it is the same file, whatever its content.
  func isSameFile(as other: FileStamp) -> Bool {
    device == other.device && inode == other.inode
  }

  func hasSize(of other: FileStamp) -> Bool { byteCount == other.byteCount }
}
