import Foundation
import TestSupport
import Testing

/// The running program. Its output goes to files by default.
final class RunningCommand {
  private let process = Process()
  private let outputPath: String
  private let errorPath: String

  /// - Parameters:
  ///   - environment: variables above those of the tests.
  ///   - output: in place of a file.
  ///   - errors: in place of a file.
  convenience init(
    _ folder: TemporaryFolder, _ arguments: [String], environment: [String: String] = [:],
    output: FileHandle? = nil, errors: FileHandle? = nil
  ) throws {
    try self.init(
      folder, executable: Command.path, arguments, environment: environment, output: output,
      errors: errors)
  }

  /// Runs it in a line for bash, in which `"$@"` is the program with its arguments.
  convenience init(_ folder: TemporaryFolder, bash line: String, _ arguments: [String]) throws {
    try self.init(
      folder, executable: "/bin/bash", ["-c", line, "bash", Command.path] + arguments,
      environment: [:], output: nil, errors: nil)
  }

  private init(
    _ folder: TemporaryFolder, executable: String, _ arguments: [String],
    environment: [String: String], output: FileHandle?, errors: FileHandle?
  ) throws {
    let name = UUID().uuidString
    outputPath = "\(folder.path)/output-\(name)"
    errorPath = "\(folder.path)/errors-\(name)"
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.executableURL = URL(fileURLWithPath: executable)
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try output ?? Self.file(outputPath)
    process.standardError = try errors ?? Self.file(errorPath)
    try ProcessStart.run(process)
  }

  private static func file(_ path: String) throws -> FileHandle {
    try Data().write(to: URL(fileURLWithPath: path))
    return try #require(FileHandle(forWritingAtPath: path))
  }

  deinit {
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
  }

  var processID: Int32 { process.processIdentifier }
  var isRunning: Bool { process.isRunning }

  /// The number of its open descriptors.
  var descriptorCount: Int {
    (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(processID)/fd").count) ?? 0
  }

  /// Its memory, KiB.
  var residentKibibytes: Int {
    let status = FileManager.default.contents(atPath: "/proc/\(processID)/status") ?? Data()
    let line = String(decoding: status, as: UTF8.self).split(separator: "\n")
      .first { $0.hasPrefix("VmRSS:") }
    return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
  }

  /// Its output to stdout so far.
  var output: String { Self.text(outputPath) }

  /// Its output to stderr so far.
  var errors: String { Self.text(errorPath) }

  private static func text(_ path: String) -> String {
    FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  /// Sends SIGTERM; does nothing when it has ended.
  func terminate() {
    if process.isRunning { process.terminate() }
  }

  /// Sends SIGINT (Ctrl-C); does nothing when it has ended.
  func interrupt() {
    if process.isRunning { process.interrupt() }
  }

  /// Kills it and all its children, as a power loss would.
  func killWithChildren() {
    for process in [processID] + children.keys { kill(process, SIGKILL) }
  }

  /// Its child with a name, such as `server-0` or `coordinator`.
  func child(_ name: String) -> Int32? { children.first { $0.value.contains(name) }?.key }

  /// Its exit code.
  func wait(sourceLocation: SourceLocation = #_sourceLocation) throws -> Int32 {
    try Wait.until("the program ends", sourceLocation) { !process.isRunning }
    return process.terminationStatus
  }

  /// Its running children: their arguments by process id.
  var children: [Int32: [String]] {
    var result: [Int32: [String]] = [:]
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    for child in names.compactMap({ Int32($0) }) where parent(of: child) == processID {
      let text = FileManager.default.contents(atPath: "/proc/\(child)/cmdline") ?? Data()
      result[child] = text.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }
    return result
  }

  private func parent(of process: Int32) -> Int32? {
    guard let data = FileManager.default.contents(atPath: "/proc/\(process)/stat") else {
      return nil
    }
    // `1234 (name) S PARENT …`; a name may hold blanks and brackets.
    return String(decoding: data, as: UTF8.self).split(separator: ")").last?
      .split(separator: " ").dropFirst().first.flatMap { Int32($0) }
  }
}

/// Waits for other processes. The limit is high, because the machine may be busy.
enum Wait {
  private static let seconds = 120.0

  static func until(
    _ event: String, _ sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () throws -> Bool
  ) throws {
    let deadline = Date().addingTimeInterval(seconds)
    while Date() < deadline {
      if try condition() { return }
      Thread.sleep(forTimeInterval: 0.02)
    }
    let isMet = try condition()
    try #require(isMet, "not within \(seconds) s: \(event)", sourceLocation: sourceLocation)
  }
}
