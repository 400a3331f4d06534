import Files
import Foundation
import ParameterServer

/// What follows the weights of a table in a checkpoint's file: states and numbers of updates, put
/// aside while the weights are written, so that each row of the table is read only once.
///
/// In memory where it is little, as one number per row is; else in a file without a name next to
/// the checkpoints. Where these are not in a folder, nothing is put aside, and the table is read
/// again.
final class RowsAside {
  private enum Place {
    case memory([UInt8])
    case file(FileDescriptor, path: String)
    case table
  }

  private var place: Place
  /// Bytes of a row in each part, in the order of the checkpoint's file.
  private let widths: [Int]
  private let rowByteCount: Int
  private var block: [UInt8] = []

  /// Whether rows may be released once they were put aside.
  var hasRows: Bool { if case .table = place { false } else { true } }

  /// - Parameters:
  ///   - widths: bytes of a row in each part.
  ///   - folder: where a file can be made; nil if there is no such place.
  ///   - mostBytesInMemory: with more, the file is made.
  /// - Throws: ``CheckpointError`` if the file cannot be created.
  init(
    widths: [Int], rowCount: Int, in folder: String?, mostBytesInMemory: Int
  ) throws(CheckpointError) {
    self.widths = widths
    rowByteCount = widths.reduce(0, +)
    if rowByteCount * rowCount <= mostBytesInMemory {
      place = .memory([])
    } else if let folder {
      let path = "\(folder)/states.partial-\(UUID().uuidString)"
      place = .file(
        try FileDescriptor(path, .temporary, purpose: "write '\(path)'"), path: path)
    } else {
      place = .table
    }
  }

  /// Appends one part of the next chunk of rows; all parts of a chunk, then those of the next.
  func put(_ bytes: UnsafeRawBufferPointer) throws(CheckpointError) {
    switch place {
    case .memory(var all):
      // The only reference, so that nothing is copied.
      place = .table
      all += bytes
      place = .memory(all)
    case .file(let file, let path): try file.writeAll(bytes, purpose: "write '\(path)'")
    case .table: break
    }
  }

  /// Calls `body` with one part of a chunk of rows.
  ///
  /// - Precondition: rows were put aside, in these chunks.
  func read(
    part: Int, of chunk: Range<Int>,
    _ body: (UnsafeRawBufferPointer) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    let start =
      chunk.lowerBound * rowByteCount + chunk.count * widths[..<part].reduce(0, +)
    let count = chunk.count * widths[part]
    switch place {
    case .memory(let all):
      try all.withUnsafeBufferPointer { (all) throws(CheckpointError) in
        try body(
          UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(all)[start..<start + count]))
      }
    case .file(let file, let path):
      if block.count < count { block = [UInt8](repeating: 0, count: count) }
      try block.withUnsafeMutableBufferPointer { (block) throws(CheckpointError) in
        let target = UnsafeMutableRawBufferPointer(
          rebasing: UnsafeMutableRawBufferPointer(block)[..<count])
        let found = try file.read(into: target, at: start, purpose: "read '\(path)'")
        guard found == count else { throw .damaged(path, "it was cut off") }
        try body(UnsafeRawBufferPointer(target))
      }
    case .table: preconditionFailure("no rows were put aside")
    }
  }
}
