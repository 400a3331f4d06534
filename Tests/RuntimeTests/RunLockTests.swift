import Foundation
import Runtime
import TestSupport
import Testing

@Suite struct RunLockTests {
  @Test("a directory that a process uses is refused with the id of that process")
  func refuses() throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/a/run"
    let lock = try RunLock(runDirectory: path)
    #expect {
      try RunLock(runDirectory: path)
    } throws: { error in
      (error as? RuntimeError)?.exitCode == .cannotCreate && "\(error)".contains(path)
        && "\(error)".contains("process \(ProcessInfo.processInfo.processIdentifier) ")
        && "\(error)".contains("--run")
    }
    lock.release()
    try RunLock(runDirectory: path).release()
  }

  @Test("a run and a sweep in one folder exclude each other")
  func sweep() throws {
    let folder = try TemporaryFolder()
    let lock = try RunLock(sweepFolder: folder.path)
    #expect {
      try RunLock(runDirectory: folder.path)
    } throws: { "\($0)".hasPrefix("Cannot start a run in '\(folder.path)': process ") }
    #expect {
      try RunLock(sweepFolder: folder.path)
    } throws: { "\($0)".hasPrefix("Cannot start a sweep in '\(folder.path)': process ") }
    lock.release()
    try RunLock(runDirectory: folder.path).release()
  }

  @Test("the lock of a process that was killed is free")
  func killedOwner() async throws {
    let folder = try TemporaryFolder()
    let path = folder.path
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
      _ = try RunLock(runDirectory: path)
      kill(getpid(), SIGKILL)
    }
    try RunLock(runDirectory: path).release()
  }

  @Test("a damaged lock file still protects, without naming its owner")
  func damagedFile() throws {
    let folder = try TemporaryFolder()
    let lock = try RunLock(runDirectory: folder.path)
    defer { lock.release() }
    let file = try #require(FileHandle(forWritingAtPath: "\(folder.path)/lock"))
    try file.write(contentsOf: Data([0xFF, 0xFE, 0]))
    #expect {
      try RunLock(runDirectory: folder.path)
    } throws: { "\($0)".contains("another process") }
  }

  @Test("a folder that cannot be made is named")
  func noFolder() throws {
    let folder = try TemporaryFolder()
    try "x".write(toFile: "\(folder.path)/file", atomically: true, encoding: .utf8)
    #expect {
      try RunLock(runDirectory: "\(folder.path)/file/run")
    } throws: { error in
      ExitCode(describing: error) == .cannotCreate
        && "\(error)".contains("\(folder.path)/file/run")
    }
  }
}
