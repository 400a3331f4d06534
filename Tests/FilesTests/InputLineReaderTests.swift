import Files
import Foundation
import TestSupport
import Testing

@Suite struct InputLineReaderTests {
  private func lines(_ bytes: [UInt8]) throws -> [String] {
    let folder = try TemporaryFolder()
    let path = folder.path("lines")
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    let reader = try InputLineReader(path: path)
    var result: [String] = []
    while let line = try reader.next() {
      result.append(line)
      #expect(reader.line == result.count)
    }
    return result
  }

  @Test(
    "ends of lines, a byte order mark, and a last line without an end",
    arguments: [
      ("", []), ("\n", [""]), ("a\nb\n", ["a", "b"]), ("a\r\n\r\nb", ["a", "", "b"]),
      ("\u{FEFF}é\n\u{FEFF}", ["é", "\u{FEFF}"]),
    ] as [(String, [String])])
  func ends(text: String, expected: [String]) throws {
    #expect(try lines(Array(text.utf8)).map { Array($0.utf8) } == expected.map { Array($0.utf8) })
  }

  @Test("lines across the pieces that are read at once stay whole")
  func pieces() throws {
    let expected = (0..<30_000).map { "user-\($0 * 7919)" }
    #expect(try lines(Array((expected.joined(separator: "\n") + "\n").utf8)) == expected)
  }

  @Test("a line that is not UTF-8 and one without end are refused with their number")
  func damage() throws {
    let notText = #expect(throws: InputLineReader.Failure.self) { try lines([0x61, 0x0A, 0xFF]) }
    #expect(notText?.line == 2 && notText?.reason.contains("UTF-8") == true)
    let endless = #expect(throws: InputLineReader.Failure.self) {
      try lines([UInt8](repeating: 0x61, count: 1 << 20))
    }
    #expect(endless?.line == 1 && endless?.reason.contains("bytes") == true)
  }

  @Test("a pipe: lines are returned before it is closed, and more of them are not waited for")
  func pipe() throws {
    let pipe = Pipe()
    let reader = InputLineReader(descriptor: pipe.fileHandleForReading.fileDescriptor)
    #expect(!reader.isNextReady)
    try pipe.fileHandleForWriting.write(contentsOf: Data("one\ntwo\nth".utf8))
    #expect(reader.isNextReady)
    #expect(try reader.next() == "one" && reader.isNextReady)
    #expect(try reader.next() == "two" && !reader.isNextReady)
    try pipe.fileHandleForWriting.write(contentsOf: Data("ree".utf8))
    try pipe.fileHandleForWriting.close()
    #expect(try reader.next() == "three")
    #expect(try reader.next() == nil)
  }
}
