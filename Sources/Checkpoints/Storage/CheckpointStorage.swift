import Files
import Foundation

/// Where the files of checkpoints lie: a folder of the file system, or an object store.
///
/// Files are named relative to the place, such as `v0000000118-g2/manifest.json`. Each has either
/// its whole content or none.
package protocol CheckpointStorage: Sendable {
  /// The place of all checkpoints of the run, for messages.
  var folder: String { get }

  /// A folder on a disk, for what a file is made from; nil if there is none here.
  var localFolder: String? { get }

  /// The checkpoints that have files, in any order; none if there is no such place.
  func names() throws(CheckpointError) -> [CheckpointName]

  /// The names of the files of a checkpoint, in any order, where that can be listed; else none.
  func files(of name: CheckpointName) -> [String]

  /// Opens a file.
  ///
  /// - Throws: ``CheckpointError``, `missing` if there is none.
  func open(_ file: String) throws(CheckpointError) -> any ReadableFile

  /// The size of a file.
  ///
  /// - Throws: ``CheckpointError``, `missing` if there is none.
  func byteCount(of file: String) throws(CheckpointError) -> Int

  /// Begins a file of a checkpoint, which exists once its writer has finished.
  ///
  /// - Parameter byteCount: the size that it will have.
  func writer(
    of file: String, in name: CheckpointName, byteCount: Int
  ) throws(CheckpointError) -> any FileWriter

  /// Makes room for files of a checkpoint that has none here yet.
  func makePlace(of name: CheckpointName) throws(CheckpointError)

  /// Writes a small file, whose checkpoint has other files already, durably.
  func write(_ bytes: [UInt8], to file: String) throws(CheckpointError)

  /// Gives a file of one checkpoint a second name in another checkpoint.
  ///
  /// - Returns: false if that is impossible here.
  func link(_ file: String, to other: String, in name: CheckpointName) -> Bool

  /// Deletes a file durably, if it exists.
  func delete(_ file: String) throws(CheckpointError)

  /// Deletes all files of a checkpoint; its manifest is deleted already.
  func deleteFiles(of name: CheckpointName) throws(CheckpointError)

  /// Deletes what is left of a checkpoint without files.
  func deleteEmpty(_ name: CheckpointName)

  /// Deletes what processes that were killed while they wrote have left behind.
  ///
  /// - Parameter newest: no process writes files of this checkpoint or older ones any more.
  func deleteUnfinished(through newest: CheckpointName) throws(CheckpointError)

  /// Creates the place, if it is missing, and checks that files can be written there.
  func prepare() throws(CheckpointError)
}

extension CheckpointStorage {
  /// The path of a file for messages.
  package func path(of file: String) -> String { "\(folder)/\(file)" }

  package var localFolder: String? { nil }

  package func files(of name: CheckpointName) -> [String] { [] }

  package func link(_ file: String, to other: String, in name: CheckpointName) -> Bool { false }
}

/// A file that is read in parts.
package protocol ReadableFile: Sendable {
  /// The size of the file.
  func byteCount(purpose: String) throws(CheckpointError) -> Int

  /// Reads bytes from an offset on until the buffer is full or the file ends.
  ///
  /// - Parameter purpose: for errors, such as `read 'a/b'`.
  /// - Returns: the number of bytes read.
  func read(
    into buffer: UnsafeMutableRawBufferPointer, at offset: Int, purpose: String
  ) throws(CheckpointError) -> Int
}

extension ReadableFile {
  /// The whole of a small file.
  ///
  /// - Throws: ``CheckpointError``: `damaged` if it is larger.
  func contents(atMost limit: Int, path: String) throws(CheckpointError) -> Data {
    let purpose = "read '\(path)'"
    let size = try byteCount(purpose: purpose)
    guard size <= limit else { throw .damaged(path, "it has \(size) bytes") }
    var bytes = [UInt8](repeating: 0, count: size)
    let count = try bytes.withUnsafeMutableBufferPointer { (bytes) throws(CheckpointError) in
      try read(into: UnsafeMutableRawBufferPointer(bytes), at: 0, purpose: purpose)
    }
    return Data(bytes[..<count])
  }
}

/// Writes a file in pieces. The file exists only when it is complete; an unfinished one is removed
/// with its writer.
package protocol FileWriter {
  func append(_ bytes: UnsafeRawBufferPointer) throws(CheckpointError)

  /// Completes the file durably.
  @discardableResult
  func finish() throws(CheckpointError) -> FileContent
}

extension FileDescriptor: ReadableFile {}

extension DurableFileWriter: FileWriter {}
