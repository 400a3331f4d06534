import Foundation
import Testing

/// Runs the built program as a person would.
struct Command {
  let status: Int32
  let output: String
  let errors: String

  /// The program beside the test bundle.
  static let path: String = {
    let folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    return folder.appendingPathComponent("mrdib").path
  }()

  init(_ arguments: String...) throws { try self.init(arguments: arguments) }

  /// - Parameter environment: variables above those of the tests.
  init(arguments: [String], environment: [String: String] = [:]) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Self.path)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    process.standardInput = FileHandle.nullDevice
    try process.run()
    // Small outputs: reading one after the other cannot block.
    self.output = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    self.errors = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    status = process.terminationStatus
  }
}

/// A folder that is deleted with the test that made it.
final class TemporaryFolder {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory
      .appendingPathComponent("mrdib-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

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
