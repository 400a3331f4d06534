import Foundation
import TestSupport
import Testing

extension TemporaryFolder {
  func bytes(_ name: String) throws -> Data {
    try #require(FileManager.default.contents(atPath: "\(path)/\(name)"), "\(name) is missing")
  }

  func object(_ name: String) throws -> [String: Any] {
    try #require(
      try JSONSerialization.jsonObject(with: bytes(name)) as? [String: Any], "\(name)")
  }

  /// An npy file of booleans, as `np.save` writes it.
  func writeMask(_ mask: [Bool], to path: String) throws {
    let text = "{'descr': '|b1', 'fortran_order': False, 'shape': (\(mask.count),), }"
    let header = text + String(repeating: " ", count: 117 - text.count) + "\n"
    let bytes = [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + Array(header.utf8)
    try Data(bytes + mask.map { $0 ? 1 : 0 }).write(to: URL(fileURLWithPath: path))
  }

  /// Writes NaN to all columns of some rows of a file of 32-bit features.
  func writeNaN(rows: [Int], of count: Int, in path: String) throws {
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    // Magic number, version and the header's length are ten bytes; the numbers follow the header.
    let start = 10 + Int(bytes[8]) + Int(bytes[9]) << 8
    let width = (bytes.count - start) / count
    let nan = withUnsafeBytes(of: Float.nan) { Data($0) }
    for row in rows {
      for offset in stride(from: start + row * width, to: start + (row + 1) * width, by: 4) {
        bytes.replaceSubrange(offset..<offset + 4, with: nan)
      }
    }
    try bytes.write(to: URL(fileURLWithPath: path))
  }

  /// A small generated data set.
  func generateData() throws -> String {
    let data = "\(path)/data"
    let command = try Command(
      "data", "generate", "--out", data, "--users", "150", "--items", "90", "--interactions", "12")
    #expect(command.status == 0, "\(command.errors)")
    return data
  }
}
