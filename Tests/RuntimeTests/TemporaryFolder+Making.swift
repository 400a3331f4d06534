import Foundation
import TestSupport

extension TemporaryFolder {
  /// Makes a file with some content, and the folders that it needs.
  func make(_ name: String) throws {
    let file = URL(fileURLWithPath: path(name))
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data("x".utf8).write(to: file)
  }
}
