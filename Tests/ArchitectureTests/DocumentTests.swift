import Foundation
import Testing

/// Checks that files and tests named in the documents exist.
@Suite struct DocumentTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// Paths of all files below a folder of the project.
  private static func files(in folder: String) -> [String] {
    let all = FileManager.default.enumerator(
      atPath: root.appendingPathComponent(folder).path)?.compactMap { $0 as? String }
    return (all ?? []).map { "\(folder)/\($0)" }
  }

  private static let sources = [
    "Sources", "Tests", "Proto", "scripts", "Examples", "docs", "Configs",
  ].flatMap(files)

  static let documents =
    ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
    + ["docs", "Sources", "Examples", "Proto", "Python"].flatMap(files).filter {
      $0.hasSuffix(".md")
    }

  @Test("a source file that a document names exists", arguments: documents)
  func namedFilesExist(document: String) throws {
    let text = try String(
      contentsOf: Self.root.appendingPathComponent(document), encoding: .utf8)
    for match in text.matches(of: /`([A-Za-z0-9_+\/.-]+\.swift)`/) {
      let name = String(match.1)
      let isThere = Self.sources.contains { $0 == name || $0.hasSuffix("/\(name)") }
      #expect(isThere, "\(document) names \(name)")
    }
  }

  @Test("a folder or file of the project that a document names exists", arguments: documents)
  func namedPathsExist(document: String) throws {
    let text = try String(
      contentsOf: Self.root.appendingPathComponent(document), encoding: .utf8)
    let folders = /`((?:Sources|Tests|Proto|docs|scripts|Configs)\/[A-Za-z0-9_+\/.-]+)`/
    for match in text.matches(of: folders) {
      let path = Self.root.appendingPathComponent(String(match.1)).path
      #expect(FileManager.default.fileExists(atPath: path), "\(document) names \(match.1)")
    }
  }

  /// The names that a pattern captures in the Swift files of each test target.
  private static func names(
    _ pattern: Regex<(Substring, Substring)>
  ) throws -> [String: Set<String>] {
    var names: [String: Set<String>] = [:]
    for file in files(in: "Tests") where file.hasSuffix(".swift") {
      let target = String(file.split(separator: "/")[1])
      let text = try String(contentsOf: root.appendingPathComponent(file), encoding: .utf8)
      names[target, default: []].formUnion(text.matches(of: pattern).map { String($0.1) })
    }
    return names
  }

  @Test("a test that docs/Failures.md names exists")
  func namedTestsExist() throws {
    let suites = try Self.names(/(?:struct|class|enum) (\w+)/)
    let tests = try Self.names(/func (\w+)\(/)
    let page = try String(
      contentsOf: Self.root.appendingPathComponent("docs/Failures.md"), encoding: .utf8)
    let matches = page.matches(of: /`([A-Z]\w+Tests)\.(\w+)(?:\/(\w+))?`/)
    #expect(matches.count > 100)
    for match in matches {
      let (target, suite) = (String(match.1), String(match.2))
      #expect(suites[target]?.contains(suite) == true, "\(match.0)")
      guard let test = match.3 else { continue }
      #expect(tests[target]?.contains(String(test)) == true, "\(match.0)")
    }
  }
}
