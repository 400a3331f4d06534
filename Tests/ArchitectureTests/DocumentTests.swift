import Foundation
import Testing

/// What the documents say about the sources, read from both.
@Suite struct DocumentTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// Paths of all files below a folder of the project.
  private static func files(in folder: String) -> [String] {
    let all = FileManager.default.enumerator(
      atPath: root.appendingPathComponent(folder).path)?.compactMap { $0 as? String }
    return (all ?? []).map { "\(folder)/\($0)" }
  }

  private static let sources = ["Sources", "Tests", "Proto", "scripts"].flatMap(files)

  static let documents =
    ["README.md", "CONTRIBUTING.md"] + files(in: "docs").filter { $0.hasSuffix(".md") }

  @Test("a source file that a document names is there", arguments: documents)
  func namedFilesExist(document: String) throws {
    let text = try String(
      contentsOf: Self.root.appendingPathComponent(document), encoding: .utf8)
    for match in text.matches(of: /`([A-Za-z0-9_+\/.-]+\.swift)`/) {
      let name = String(match.1)
      let isThere = Self.sources.contains { $0 == name || $0.hasSuffix("/\(name)") }
      #expect(isThere, "\(document) names \(name)")
    }
  }
}
