import Foundation
import Testing

/// Keeps comments and messages in plain words: the field's terms, and no processes that act like
/// people.
@Suite struct WordTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// Folders with sources, tests and documents in which the banned words are gone.
  static let folders = ["Sources", "Proto", "Examples", "Benchmarks", "docs", "Tests", "Python"]

  /// Documents outside of all folders, checked with `docs`.
  static let documents = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]

  /// This file names the banned words, and headers of protobuf-c are generated from `Proto`.
  static let exempt = ["Tests/ArchitectureTests/WordTests.swift", "Sources/CWireMessages"]

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
    ("takes note", "records"), ("told", "received, was sent, was asked"),
    ("tell", "determine, send, report"), ("tells", "reports, sends"), ("hear", "receive"),
    ("hears", "receives"), ("anew", "again"), ("what is wrong", "the problem, why …"),
    ("of its own accord", "by itself"),
  ]

  /// Comments and string literals of a line of Swift, C or protobuf, in lower case.
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

  /// The prose of each line of a file: comments and literals of sources, all text of documents.
  private static func prose(ofFile path: String) throws -> [String] {
    let text = try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    let lines = text.components(separatedBy: "\n")
    if path.hasSuffix(".md") {
      // Code spans name tests and functions.
      return lines.map { $0.replacing(/`[^`]*`/, with: "").lowercased() }
    }
    let isSwift = path.hasSuffix(".swift")
    // Lines of a multi-line literal or comment are prose as a whole.
    var isInBlock = false
    return lines.map { line in
      var isProse = isInBlock
      if isSwift {
        if line.components(separatedBy: "\"\"\"").count == 2 { isInBlock.toggle() }
      } else {
        if line.contains("/*") { (isProse, isInBlock) = (true, true) }
        if line.contains("*/") { isInBlock = false }
      }
      return isProse ? line.lowercased() : prose(of: line)
    }
  }

  private static func paths(in folder: String) -> [String] {
    let names = FileManager.default.enumerator(atPath: root.appendingPathComponent(folder).path)
    let found = (names?.compactMap { $0 as? String } ?? [])
      .filter { name in [".swift", ".c", ".h", ".proto", ".md"].contains { name.hasSuffix($0) } }
      .map { "\(folder)/\($0)" }
      .filter { path in !exempt.contains { path.hasPrefix($0) } }
    return found.sorted() + (folder == "docs" ? documents : [])
  }

  @Test("comments, messages and documents use plain words", arguments: folders)
  func plainWords(folder: String) throws {
    let paths = Self.paths(in: folder)
    #expect(!paths.isEmpty, "\(folder) has no sources")
    let patterns = try Self.banned.map { word, instead in
      (word, instead, try Regex("\\b\(word)\\b"))
    }
    for path in paths {
      for (number, prose) in try Self.prose(ofFile: path).enumerated() {
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
