import Foundation

/// A folder for one test, removed with everything in it when the value is released.
public final class TemporaryFolder: Sendable {
  public let path: String
  /// The path that is removed.
  private let root: String

  /// - Parameter name: the name of the folder, for tests that depend on it.
  public init(name: String = "") throws {
    root =
      FileManager.default.temporaryDirectory
      .appendingPathComponent("mrdib-test-\(UUID().uuidString)").path
    path = name.isEmpty ? root : "\(root)/\(name)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: root) }

  public func path(_ file: String) -> String { "\(path)/\(file)" }

  /// - Returns: the file's path.
  @discardableResult
  public func write(_ text: String, to file: String) throws -> String {
    try write(Array(text.utf8), to: file)
  }

  /// - Returns: the file's path.
  @discardableResult
  public func write(_ bytes: [UInt8], to file: String) throws -> String {
    try Data(bytes).write(to: URL(fileURLWithPath: path(file)))
    return path(file)
  }

  public func read(_ file: String) throws -> [UInt8] { try Self.contents(of: path(file)) }

  /// The bytes of a file at any path.
  public static func contents(of path: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
  }

  public func text(_ file: String) throws -> String {
    try String(contentsOfFile: path(file), encoding: .utf8)
  }

  /// The names of what is in it, sorted.
  public var files: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
  }
}
