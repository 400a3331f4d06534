import Foundation
import Runtime
import TestSupport
import Testing

/// The log files of processes.
@Suite struct ProcessLogTests {
  private static let pipe = Result { () throws -> OutputWriter in
    ProcessOutput.ignoreBrokenPipes()
    var ends: [Int32] = [-1, -1]
    try #require(Foundation.pipe(&ends) == 0)
    return OutputWriter(descriptor: ends[1], overflow: .dropsOldest)
  }

  @Test("a log is appended to, and says that a process starts again")
  func again() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("server-0.log")
    for line in ["first", "second"] {
      let log = try ProcessLog(path, of: "server-0", standardError: Self.pipe.get())
      log.note(line)
      log.write("as it is\n")
      #expect(log.flush(within: 60))
    }
    let lines = try folder.text("server-0.log").split(separator: "\n")
    #expect(lines.count == 6)
    #expect(lines[0].contains(/Z server-0 starts, process \d+$/), "\(lines)")
    #expect(lines[1].hasSuffix("Z first") && lines[2] == "as it is", "\(lines)")
    #expect(lines[3].contains("server-0 starts again; the lines above are"), "\(lines)")
  }

  @Test("a file beyond the limit becomes NAME.1; no line is lost at that moment")
  func rotation() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("a.log")
    let log = try ProcessLog(
      path, of: "a", standardError: Self.pipe.get(), byteLimit: 2000)
    for number in 0..<600 {
      log.write("line \(number)\n")
      #expect(log.flush(within: 60))
    }
    let texts = try ["a.log.1", "a.log"].map { try folder.text($0) }
    #expect(texts.allSatisfy { $0.utf8.count < 2100 }, "\(texts.map(\.utf8.count))")
    let numbers = texts.joined().split(separator: "\n").compactMap { Int($0.dropFirst(5)) }
    #expect(numbers.count > 100)
    #expect(numbers == Array(600 - numbers.count..<600))
    #expect(try folder.files.count == 2, "only one former file is kept")
  }

  @Test("where the next file cannot be begun, the file stays bounded")
  func noNextFile() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(
      atPath: folder.path("logs"), withIntermediateDirectories: true)
    let log = try ProcessLog(
      folder.path("logs/a.log"), of: "a", standardError: Self.pipe.get(), byteLimit: 2000)
    let kept = open(folder.path("logs/a.log"), O_RDONLY)
    defer { close(kept) }
    try FileManager.default.removeItem(atPath: folder.path("logs"))
    for number in 0..<500 {
      log.write("line \(number)\n")
      #expect(log.flush(within: 60))
    }
    #expect(lseek(kept, 0, SEEK_END) < 2100)
  }

  @Test("lines are not written twice where stderr is the log already")
  func sameFile() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("", to: "worker-1.log")
    let descriptor = open(path, O_WRONLY | O_APPEND)
    let errors = OutputWriter(descriptor: descriptor, overflow: .dropsOldest)
    let log = try ProcessLog(path, of: "worker-1", standardError: errors, byteLimit: 600)
    for number in 0..<100 {
      errors.write("line \(number)\n")
      log.note("line \(number)")
      #expect(log.flush(within: 60))
    }
    let texts = try ["worker-1.log.1", "worker-1.log"].map { try folder.text($0) }
    let lines = texts.joined().split(separator: "\n")
    #expect(lines.count(where: { $0.hasSuffix("line 99") }) == 1, "\(lines)")
    #expect(texts.allSatisfy { $0.utf8.count < 700 })
  }

  @Test("a file of another kind is refused")
  func refused() throws {
    let folder = try TemporaryFolder()
    #expect(mkfifo(folder.path("pipe"), 0o600) == 0)
    #expect(throws: (any Error).self) {
      try ProcessLog(folder.path("pipe"), of: "a", standardError: Self.pipe.get())
    }
  }
}
