import Files
import Foundation
import TestSupport
import Testing

/// No kind of file makes a process wait, or is taken for a regular file.
@Suite struct PlainFileTests {
  /// All kinds of files that are not regular, by name.
  private func makeSpecial(_ folder: TemporaryFolder) throws -> [(String, FileKind)] {
    try #require(mkfifo(folder.path("pipe"), 0o600) == 0)
    try #require(mkdir(folder.path("folder"), 0o700) == 0)
    let socket = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(socket) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let path = Array(folder.path("socket").utf8)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.prefix($0.count - 1)) }
    let isBound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
      }
    }
    try #require(isBound)
    try #require(symlink("/dev/null", folder.path("device")) == 0)
    return [("pipe", .pipe), ("folder", .folder), ("socket", .socket), ("device", .device)]
  }

  @Test("pipes, folders, sockets and devices are refused by name in all modes")
  func special() throws {
    let folder = try TemporaryFolder()
    for (name, kind) in try makeSpecial(folder) {
      let path = folder.path(name)
      let problem = FileProblem.kind(found: kind, needed: .plain)
      for mode in [PlainFile.Mode.read, .replace, .append, .update] {
        #expect(throws: problem) { _ = try PlainFile.open(path, mode) }
      }
      #expect(throws: problem) { _ = try PlainFile.contents(of: path, atMost: 10) }
      #expect(throws: problem) { try PlainFile.check(path) }
      #expect(problem.reason.contains(kind.words))
    }
  }

  @Test("a pipe with a writer is refused, too")
  func openPipe() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("pipe")
    try #require(mkfifo(path, 0o600) == 0)
    let other = open(path, O_RDWR)
    defer { close(other) }
    for mode in [PlainFile.Mode.read, .append] {
      #expect(throws: FileProblem.kind(found: .pipe, needed: .plain)) {
        _ = try PlainFile.open(path, mode)
      }
    }
  }

  @Test("files are read, replaced and appended to; child processes do not inherit them")
  func plain() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("one", to: "file")
    #expect(try PlainFile.contents(of: path, atMost: 3) == Array("one".utf8))
    for (mode, text) in [(PlainFile.Mode.append, "onetwo"), (.replace, "two"), (.update, "two")] {
      let descriptor = try PlainFile.open(path, mode)
      #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0)
      #expect(write(descriptor, "two", 3) == 3)
      close(descriptor)
      #expect(try folder.text("file") == text)
    }
    #expect(throws: FileProblem.system(EEXIST)) { _ = try PlainFile.open(path, .create) }
    #expect(throws: FileProblem.tooLarge(limit: 2)) {
      _ = try PlainFile.contents(of: path, atMost: 2)
    }
    let missing = FileProblem.system(ENOENT)
    #expect(missing.isMissing)
    #expect(throws: missing) { _ = try PlainFile.contents(of: folder.path("no"), atMost: 2) }
    // A file for which the system reports a size of 0.
    #expect(try !PlainFile.contents(of: "/proc/self/stat", atMost: 4096).isEmpty)
  }

  @Test("the names in a folder, up to a limit")
  func names() throws {
    let folder = try TemporaryFolder()
    for name in ["b", "a", ".c"] { try folder.write("", to: name) }
    #expect(try PlainFile.names(in: folder.path, atMost: 3) == [".c", "a", "b"])
    #expect(throws: FileProblem.tooMany(limit: 2)) {
      _ = try PlainFile.names(in: folder.path, atMost: 2)
    }
    #expect(throws: FileProblem.kind(found: .plain, needed: .folder)) {
      _ = try PlainFile.names(in: folder.path("a"), atMost: 2)
    }
  }
}
