import Datasets
import Files

/// Copies a file into a new folder, under its name, piece by piece: the caller can report and stop
/// in between. The copy appears when it is complete.
struct FileCopy {
  private static let pieceByteCount = 8 << 20

  private let source: FileBytes
  private let copy: AtomicFile
  private let buffer = Buffer()

  private final class Buffer {
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceByteCount, alignment: 64)
    deinit { bytes.deallocate() }
  }

  /// - Throws: ``DatasetError`` if the file cannot be read, or the copy cannot be made.
  init(_ path: String, to folder: NewFolder) throws(DatasetError) {
    source = try FileBytes(path: path)
    copy = try AtomicFile(path: folder.path(of: FilePath.name(of: path)))
  }

  /// Copies a piece.
  ///
  /// - Returns: the share that is copied, from 0 to 1; nil if the copy is complete.
  func next() throws(DatasetError) -> Double? {
    let count = try source.read(into: buffer.bytes)
    guard count > 0 else {
      try copy.commit()
      return nil
    }
    try copy.write(UnsafeRawBufferPointer(rebasing: buffer.bytes[..<count]))
    return Double(source.position) / Double(max(source.size, source.position))
  }

  /// Copies a whole file.
  ///
  /// - Throws: ``DatasetError`` if the file cannot be read, or the copy cannot be made; what
  ///   `report` throws.
  static func all(of path: String, to folder: NewFolder, report: StageReport) throws {
    let copy = try FileCopy(path, to: folder)
    while let share = try copy.next() { try report("copying \(FilePath.name(of: path))", share) }
  }
}
