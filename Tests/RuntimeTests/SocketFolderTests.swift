import Foundation
import Runtime
import TestSupport
import Testing

@Suite struct SocketFolderTests {
  private let files = FileManager.default

  private func make(
    _ name: String, in parent: TemporaryFolder, mode: Int = 0o700
  ) throws -> String {
    let path = parent.path(name)
    try files.createDirectory(
      atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: mode])
    return path
  }

  @Test("folders of killed processes are removed, and nothing else")
  func leftOvers() throws {
    let parent = try TemporaryFolder()
    let empty = try make("mrdib-run-aaaaaa", in: parent)
    let used = try make("mrdib-run-bbbbbb", in: parent)
    for name in ["coordinator", "coordinator.lock"] {
      try parent.write("", to: "mrdib-run-bbbbbb/\(name)")
    }
    let kept = [
      try make("mrdib-run-cccccc", in: parent, mode: 0o755), try make("mrdib-test-ab", in: parent),
      try make("other", in: parent), try make("mrdib-run-dddddd", in: parent),
    ]
    try parent.write("mine", to: "mrdib-run-dddddd/notes")
    let living = try SocketFolder(in: [parent.path])
    let next = try SocketFolder(in: [parent.path])
    for path in [empty, used] { #expect(!files.fileExists(atPath: path), "\(path)") }
    for path in kept + [living.path, next.path] {
      #expect(files.fileExists(atPath: path), "\(path)")
    }
    #expect(try parent.text("mrdib-run-dddddd/notes") == "mine")
    living.remove()
    next.remove()
    #expect(!files.fileExists(atPath: living.path) && !files.fileExists(atPath: next.path))
  }

  @Test("links are not followed, and other programs' folders are not removed")
  func links() throws {
    let parent = try TemporaryFolder()
    let target = try make("target", in: parent)
    let link = parent.path("mrdib-run-eeeeee")
    try files.createSymbolicLink(atPath: link, withDestinationPath: target)
    try SocketFolder(in: [parent.path]).remove()
    #expect(files.fileExists(atPath: target))
    #expect(throws: RuntimeError.self) { try SocketFolder.makeAgain(link) }
    let open = try make("mrdib-run-ffffff", in: parent, mode: 0o777)
    #expect(chmod(open, 0o777) == 0)
    #expect(throws: RuntimeError.self) { try SocketFolder.makeAgain(open) }
    let own = parent.path("mrdib-run-gggggg")
    try SocketFolder.makeAgain(own)
    try SocketFolder.makeAgain(own)
    #expect(files.fileExists(atPath: own))
  }
}
