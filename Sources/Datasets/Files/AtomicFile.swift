import Files
internal import Foundation

/// A file that appears under its name only when it is complete: it is written under a temporary
/// name in the same folder, synchronised and renamed, and then the folder is synchronised.
///
/// A file that is not committed is removed when the writer is released.
package final class AtomicFile {
  package let path: String
  private let partialPath: String
  private var stream: UnsafeMutablePointer<FILE>?

  /// - Throws: ``DatasetError`` if the file cannot be created.
  package init(path: String) throws(DatasetError) {
    self.path = path
    // Processes in different containers may share a folder and a process id.
    partialPath = "\(path).partial-\(UUID().uuidString)"
    let descriptor: Int32
    do {
      descriptor = try PlainFile.open(partialPath, .create, permissions: 0o666)
    } catch {
      throw SystemError.writing(path, error)
    }
    stream = fdopen(descriptor, "wb")
    guard stream != nil else {
      let error = SystemError.writing(path)
      close(descriptor)
      unlink(partialPath)
      throw error
    }
  }

  deinit {
    guard let stream else { return }
    fclose(stream)
    unlink(partialPath)
  }

  /// Appends bytes.
  package func write(_ bytes: UnsafeRawBufferPointer) throws(DatasetError) {
    guard let stream, let base = bytes.baseAddress, bytes.count > 0 else { return }
    guard fwrite(base, 1, bytes.count, stream) == bytes.count else {
      throw SystemError.writing(path)
    }
  }

  /// Appends bytes.
  package func write(_ content: [UInt8]) throws(DatasetError) {
    try content.withUnsafeBufferPointer { buffer throws(DatasetError) in
      try write(UnsafeRawBufferPointer(buffer))
    }
  }

  /// Writes bytes at an offset, past the end too: what lies between is zero. Such a file is written
  /// in no other way.
  package func write(
    _ bytes: UnsafeRawBufferPointer, at offset: Int
  ) throws(DatasetError) {
    guard let stream else { return }
    var done = 0
    while done < bytes.count {
      let count = pwrite(
        fileno(stream), bytes.baseAddress.map { $0 + done }, bytes.count - done,
        off_t(offset + done))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw SystemError.writing(path) }
      done += count
    }
  }

  /// Reads back what was written at an offset.
  ///
  /// - Throws: ``DatasetError`` if the file does not have all these bytes, or the disk refuses.
  package func read(
    into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(DatasetError) {
    guard let stream else { return }
    var done = 0
    while done < buffer.count {
      let count = pread(
        fileno(stream), buffer.baseAddress.map { $0 + done }, buffer.count - done,
        off_t(offset + done))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw SystemError.writing(path) }
      done += count
    }
  }

  /// Makes the file this long; what was not written is zero.
  package func extend(to byteCount: Int) throws(DatasetError) {
    guard let stream else { return }
    guard ftruncate(fileno(stream), off_t(byteCount)) == 0 else {
      throw SystemError.writing(path)
    }
  }

  /// Gives the finished file its final name.
  ///
  /// - Throws: ``DatasetError`` if the disk is full or the rename fails: the old file is kept. Also
  ///   if the folder cannot be synchronised: the new file is there, but the old one may come back
  ///   after a power loss.
  package func commit() throws(DatasetError) {
    guard let stream else { return }
    guard fflush(stream) == 0, fsync(fileno(stream)) == 0 else { throw SystemError.writing(path) }
    self.stream = nil
    guard fclose(stream) == 0, rename(partialPath, path) == 0 else {
      let error = SystemError.writing(path)
      unlink(partialPath)
      throw error
    }
    try synchronizeFolder()
  }

  /// Makes the rename survive a power loss.
  private func synchronizeFolder() throws(DatasetError) {
    let parent = FilePath.parent(of: path)
    let folder: Int32
    do {
      folder = try PlainFile.openFolder(parent.isEmpty ? "." : parent)
    } catch {
      throw SystemError.writing(path, error)
    }
    defer { close(folder) }
    guard fsync(folder) == 0 else { throw SystemError.writing(path) }
  }

  /// Writes a whole file at once.
  package static func write(_ content: [UInt8], to path: String) throws(DatasetError) {
    let file = try AtomicFile(path: path)
    try file.write(content)
    try file.commit()
  }
}
