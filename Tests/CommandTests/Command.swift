import Foundation
import TestSupport
import Testing

/// Runs the built program.
struct Command {
  let status: Int32
  let output: String
  let errors: String

  /// The program next to the test bundle.
  static let path: String = {
    let folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    return folder.appendingPathComponent("mrdib").path
  }()

  init(_ arguments: String...) throws { try self.init(arguments: arguments) }

  /// - Parameter environment: variables above those of the tests.
  init(arguments: [String], environment: [String: String] = [:]) throws {
    try self.init(executable: Self.path, arguments, environment)
  }

  /// Runs it in a line for bash, in which `"$@"` is the program with its arguments.
  init(bash line: String, arguments: [String], environment: [String: String] = [:]) throws {
    try self.init(
      executable: "/bin/bash", ["-c", line, "bash", Self.path] + arguments, environment)
  }

  /// With a limit of file sizes, which makes writes fail as a full disk does,
  /// and needs no disk of its own.
  init(fileLimit kibibytes: Int, arguments: [String]) throws {
    try self.init(
      bash: "trap '' XFSZ; ulimit -f \(kibibytes); exec \"$@\"", arguments: arguments)
  }

  /// Runs another program.
  init(
    executable: String, _ arguments: [String], _ environment: [String: String]
  ) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: executable)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    // One of the two goes to a file: reading one pipe after the other could block.
    let folder = try TemporaryFolder()
    try folder.write("", to: "errors")
    let written: FileHandle = try #require(
      FileHandle(forWritingAtPath: folder.path("errors")))
    let output = ProcessStart.pipe()
    process.standardOutput = output
    process.standardError = written
    process.standardInput = FileHandle.nullDevice
    try ProcessStart.run(process)
    // No command of a test takes this long.
    let limit = DispatchWorkItem { [id = process.processIdentifier] in kill(id, SIGKILL) }
    DispatchQueue.global().asyncAfter(deadline: .now() + 300, execute: limit)
    defer { limit.cancel() }
    self.output = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    errors = try folder.text("errors")
    status = process.terminationStatus
  }
}
