import Foundation

/// A folder of a test's own, removed with it.
final class TemporaryFolder: Sendable {
  let path: String

  init(name: String = "data") throws {
    path =
      FileManager.default.temporaryDirectory
      .appendingPathComponent("mrdib-datasets-\(UUID().uuidString)/\(name)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(
      atPath: (path as NSString).deletingLastPathComponent)
  }

  func path(_ file: String) -> String { (path as NSString).appendingPathComponent(file) }

  @discardableResult
  func write(_ text: String, to file: String) throws -> String {
    try write(Array(text.utf8), to: file)
  }

  @discardableResult
  func write(_ bytes: [UInt8], to file: String) throws -> String {
    try Data(bytes).write(to: URL(fileURLWithPath: path(file)))
    return path(file)
  }

  func read(_ file: String) throws -> [UInt8] { try Self.contents(of: path(file)) }

  static func contents(of path: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
  }

  var files: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
  }
}
