import Datasets
import Foundation
import Tensors
import TestSupport
import Testing

/// What the reader of stored graphs must do, whatever is in the file: it never traps, takes bounded
/// time and memory, refuses with a message, and what it accepts can be written again.
@Suite("Damaged graph files")
struct GraphFileFuzzTests {
  private static let inputs = "0123456789abcdef0123456789abcdef"

  private static let matrices = [
    SparseMatrix(
      rows: 3, columns: 4, offsets: [0, 2, 2, 3], indices: [0, 3, 1], values: [1, 2, 3]),
    SparseMatrix(rows: 3, columns: 4, offsets: [0, 0, 0, 0], indices: [], values: []),
    SparseMatrix(
      rows: 3, columns: 4, offsets: [0, 4, 8, 12], indices: [0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3],
      values: (0..<12).map { Float($0) }),
    SparseMatrix(rows: 2, columns: 4, offsets: [0, 1, 2], indices: [0, 3], values: [1, 1]),
  ]

  /// Corrects the checksum, so that the checks after it are reached.
  private static func mendChecksum(_ bytes: inout [UInt8]) {
    let content = bytes.dropLast(ByteDigest.digitCount)
    guard bytes.count >= ByteDigest.digitCount else { return }
    var digest = ByteDigest()
    content.withUnsafeBytes { digest.append($0) }
    bytes.replaceSubrange(content.endIndex..., with: digest.hexadecimal.utf8)
  }

  @Test("graph files")
  func graphFiles() throws {
    let memory = try MemoryFile("graph.csr")
    let file = GraphFile(path: memory.path, inputs: Self.inputs)
    let folder = try MemoryFolder()
    let written = GraphFile(path: "\(folder.path)/again.csr", inputs: Self.inputs)
    let samples = try Self.matrices.map { matrix in
      try written.write(matrix)
      return [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/again.csr")))
    }
    // A field of the header, or one of the offsets, columns and values.
    let changeField: InputMutator.Change = { bytes, random in
      let place = 48 + 4 * random.below(32)
      guard place + 8 <= bytes.count else { return }
      let number =
        random.oneIn(2) ? UInt64(random.below(14)) : InputMutator.integer(&random)
      let width = random.oneIn(2) ? 8 : 4
      for index in 0..<width {
        bytes[place + index] = UInt8(truncatingIfNeeded: number >> UInt64(8 * index))
      }
    }
    try FuzzRun.run(
      FuzzedParser(
        "graph-file", inputs: InputMutator(files: samples, changes: [changeField]), rounds: 30_000
      ) { parts, random in
        var bytes = parts[0]
        if !random.oneIn(8) { Self.mendChecksum(&bytes) }
        try memory.write(bytes)
        let matrix: SparseMatrix
        do {
          guard let read = try file.read(rows: 3, columns: 4) else {
            throw FuzzFailure("a file that is there was not found")
          }
          matrix = read
        } catch let error as CachedFileError {
          return .refused(error.message)
        }
        try written.write(matrix)
        guard let again = try written.read(rows: 3, columns: 4), again.isIdentical(to: matrix)
        else { throw FuzzFailure("\(matrix.offsets) \(matrix.indices) \(matrix.values) changed") }
        return .accepted
      })
  }
}
