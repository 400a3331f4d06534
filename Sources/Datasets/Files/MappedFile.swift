internal import CMemoryMaps
internal import Files
internal import ForeignText
import Foundation

/// A file mapped into memory for reading: its pages are loaded when touched and shared by all
/// processes on the machine.
///
/// Whoever shortens the file while it is mapped ends this process when it touches what is gone, as
/// with every memory map: with a sentence and code 74. Data sets are written by rename (see
/// ``AtomicFile``), which leaves maps alone.
///
/// `Sendable` is unchecked because the mapping is read only and lives as long as the object.
package final class MappedFile: @unchecked Sendable {
  package let path: String
  /// Everything in the file.
  package let bytes: UnsafeRawBufferPointer
  /// Of the file as it was opened.
  let stamp: FileStamp
  private let mapNumber: Int32

  /// - Throws: ``DatasetError`` if `path` is no regular file or cannot be read.
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
    mapNumber = cmaps_note(
      start, size,
      "mrdib: Cannot go on: '\(path.shown(atMost: 600))' was shortened while it was in use, or its "
        + "disk cannot be read any more (bus error). Put the file back as it was, and start the "
        + "same command again.")
  }

  /// Whether somebody has written to the file since it was opened. One that was put in its place by
  /// rename is another file.
  package var wasOverwritten: Bool {
    guard let now = FileStamp(path: path), now.isSameFile(as: stamp) else { return false }
    return now != stamp
  }

  /// To be called by every job on a dispatch queue that reads mapped files: signals are blocked on
  /// its threads, and with them the sentence about a file that was shortened.
  package static func readHere() { cmaps_unblock() }

  deinit {
    cmaps_forget(mapNumber)
    if let start = bytes.baseAddress {
      munmap(UnsafeMutableRawPointer(mutating: start), bytes.count)
    }
  }
}
