import Foundation
import Runtime
import TestSupport
import Testing

@Suite struct ResumeChoiceTests {
  @Test("auto, never, and a folder, which read back as they were written")
  func choices() throws {
    let folder = try TemporaryFolder()
    #expect(try ResumeChoice(argument: "auto") == .auto)
    #expect(try ResumeChoice(argument: "servers") == .servers)
    #expect(try ResumeChoice(argument: "never") == .never)
    #expect(try ResumeChoice(argument: folder.path) == .path(folder.path))
    for text in ["auto", "never", folder.path] {
      #expect("\(try ResumeChoice(argument: text))" == text)
    }
  }

  @Test("a misspelt word and a file are refused with what was found and what to give")
  func refused() throws {
    let folder = try TemporaryFolder()
    try folder.make("file")
    let cases = [
      ("atuo", "no such folder"), ("", "no such folder"), ("\(folder.path)/file", "is a file"),
    ]
    for (text, found) in cases {
      #expect {
        try ResumeChoice(argument: text)
      } throws: { error in
        (error as? RuntimeError)?.exitCode == .usage && "\(error)".contains("'\(text)'")
          && "\(error)".contains(found) && "\(error)".contains("servers, never, or the folder")
      }
    }
  }
}
