import Foundation
import Testing

/// Keeps comments and messages in plain words: the field's terms, and no processes that act like
/// people.
@Suite struct WordTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// Folders in which the banned words are gone. A folder stays here once it is listed.
  static let folders = [
    "Sources/Runtime/Checkpoints", "Sources/Runtime/Keeping", "Sources/Runtime/Keys",
    "Sources/Runtime/Launcher", "Sources/Runtime/Limits", "Sources/Runtime/Model",
    "Sources/Runtime/Output", "Sources/Runtime/RunDirectory", "Sources/Runtime/Setup",
    "Sources/Experiments", "Sources/mrdib", "Sources/CProcess",
  ]

  /// Banned in comments and string literals, with what to write instead. Matched as whole words in
  /// any case, line by line.
  static let banned = [
    ("whoever", "name the process, user or program"), ("whom", "name it"),
    ("nobody", "no process, no peer, not …"), ("everybody", "all"),
    ("somebody", "another process, a peer, a user"), ("anybody", "any process, any user"),
    ("people", "the user, messages"), ("goes on", "continues, resumes"),
    ("go on", "continue, resume"), ("going on", "continuing, resuming"),
    ("went on", "continued, resumed"), ("gone on", "continued, resumed"),
    ("goes back", "rolls back"), ("go back", "roll back"), ("going back", "rolling back"),
    ("went back", "rolled back"), ("in one breath", "and immediately"), ("heard", "received"),
    ("is told", "receives, is sent"), ("are told", "receive, are sent"),
    ("was told", "received, was sent"), ("told of", "reported"), ("tells of", "reports"),
    ("says goodbye", "leaves"), ("say goodbye", "leave"), ("says hello", "joins"),
    ("beside", "next to, with"), ("strangers", "unknown peers"),
    ("sent home", "dismissed, released"),
    ("comes to nothing", "has no effect"), ("all the same", "still"), ("mend", "fix"),
    ("mended", "fixed"), ("ever more", "increasingly"), ("first thing", "at the start"),
    ("given up", "counts as lost, is not waited for"), ("sees to it", "makes, ensures"),
    ("takes note", "records"), ("sign of life", "life sign"), ("signs of life", "life signs"),
  ]

  /// Comments and string literals of a line of Swift or C, in lower case.
  static func prose(of line: String) -> String {
    var result = ""
    var isInString = false
    var previous: Character = " "
    for (position, character) in zip(line.indices, line) {
      if character == "\"", previous != "\\" { isInString.toggle() }
      if !isInString, character == "/", previous == "/" {
        return (result + line[position...]).lowercased()
      }
      if isInString { result.append(character) }
      previous = character
    }
    return result.lowercased()
  }

  private static func paths(in folder: String) -> [String] {
    let names = FileManager.default.enumerator(atPath: root.appendingPathComponent(folder).path)
    return (names?.compactMap { $0 as? String } ?? [])
      .filter { $0.hasSuffix(".swift") || $0.hasSuffix(".c") || $0.hasSuffix(".h") }
      .map { "\(folder)/\($0)" }.sorted()
  }

  @Test("comments and messages use plain words", arguments: folders)
  func plainWords(folder: String) throws {
    let paths = Self.paths(in: folder)
    #expect(!paths.isEmpty, "\(folder) has no sources")
    let patterns = try Self.banned.map { word, instead in
      (word, instead, try Regex("\\b\(word)\\b"))
    }
    for path in paths {
      let text = try String(contentsOf: Self.root.appendingPathComponent(path), encoding: .utf8)
      // Lines of a multi-line literal are prose as a whole.
      var isInLiteral = false
      for (number, line) in text.components(separatedBy: "\n").enumerated() {
        let prose = isInLiteral ? line.lowercased() : Self.prose(of: line)
        if line.components(separatedBy: "\"\"\"").count == 2 { isInLiteral.toggle() }
        for (word, instead, pattern) in patterns where prose.contains(word) {
          #expect(
            prose.firstMatch(of: pattern) == nil,
            "\(path):\(number + 1): '\(word)'; write: \(instead)")
        }
      }
    }
  }

  @Test("comments and literals are found, and code is not")
  func proseOnly() {
    #expect(Self.prose(of: "let nobody = 1  // Nobody waits.") == "/ nobody waits.")
    #expect(Self.prose(of: "say(\"Go on\", goOn)") == "\"go on")
    #expect(Self.prose(of: "let nobody = \"a // b\" + beside") == "\"a // b")
  }
}
