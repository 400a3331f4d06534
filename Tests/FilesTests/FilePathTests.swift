import Files
import Foundation
import Testing

@Suite struct FilePathTests {
  @Test("absolute paths keep their meaning: '..' after a link is not resolved")
  func absolute() {
    let here = FileManager.default.currentDirectoryPath
    #expect(FilePath.absolute("a") == "\(here)/a")
    #expect(FilePath.absolute("./a//b/./") == "\(here)/a/b")
    #expect(FilePath.absolute("link/../a") == "\(here)/link/../a")
    #expect(FilePath.absolute(".") == here)
    #expect(FilePath.absolute("/a/./b/") == "/a/b")
    #expect(FilePath.absolute("/") == "/")
    #expect(FilePath.absolute("-a b%41?#'\n") == "\(here)/-a b%41?#'\n")
  }

  @Test("the folder that a path is in")
  func parent() {
    #expect(FilePath.parent(of: "a") == "")
    #expect(FilePath.parent(of: "/a") == "/")
    #expect(FilePath.parent(of: "a/b/c") == "a/b")
  }

  @Test("a folder whose path leaves no room for a name is refused")
  func room() {
    let folder = String(repeating: "x", count: 4000)
    #expect(throws: Never.self) { try FilePath.checkRoom(in: folder, for: 94) }
    #expect(throws: FileProblem.system(ENAMETOOLONG)) {
      try FilePath.checkRoom(in: folder, for: 95)
    }
  }
}
