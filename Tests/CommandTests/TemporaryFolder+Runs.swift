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

  /// A small generated data set.
  func generateData() throws -> String {
    let data = "\(path)/data"
    let command = try Command(
      "data", "generate", "--out", data, "--users", "150", "--items", "90", "--interactions", "12")
    #expect(command.status == 0, "\(command.errors)")
    return data
  }
}
