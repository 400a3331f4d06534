import Foundation
import TestSupport
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
    try self.init(executable: Self.path, arguments, environment)
  }

  /// Runs it in a line for bash, in which `"$@"` is the program with its arguments.
  init(bash line: String, arguments: [String], environment: [String: String] = [:]) throws {
    try self.init(
      executable: "/bin/bash", ["-c", line, "bash", Self.path] + arguments, environment)
  }

  /// With files that can grow no more beyond a size: what a full disk does to a write, such a limit
  /// does too, and it needs no disk of its own.
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
    // A file for one of the two: reading one pipe after the other could block.
    let folder = try TemporaryFolder()
    try folder.write("", to: "errors")
    let written: FileHandle = try #require(
      FileHandle(forWritingAtPath: folder.path("errors")))
    let output = Pipe()
    process.standardOutput = output
    process.standardError = written
    process.standardInput = FileHandle.nullDevice
    try process.run()
    // Nothing that it is asked for takes so long.
    let limit = DispatchWorkItem { [id = process.processIdentifier] in kill(id, SIGKILL) }
    DispatchQueue.global().asyncAfter(deadline: .now() + 300, execute: limit)
    defer { limit.cancel() }
    self.output = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    errors = try folder.text("errors")
    status = process.terminationStatus
  }
}
