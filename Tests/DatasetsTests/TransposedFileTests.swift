import Datasets
import Foundation
import Tensors
import TestSupport
import Testing

/// The users of items in a mapped file.
@Suite struct TransposedFileTests {
  private let folder: TemporaryFolder
  private let data: Dataset

  init() throws {
    folder = try TemporaryFolder()
    data = try GraphData.random(users: 30, items: 20, seed: 1)
  }

  private func file() throws -> String {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .filter { $0.hasSuffix(".lists") }
    #expect(names.count == 1)
    return folder.path(names.first ?? "")
  }

  /// Each item's users, with the weights of their edges.
  private func rows(_ graph: InteractionGraph) -> [[String]] {
    (0..<graph.nodeCount).map { node in
      (0..<graph.degree(node)).map { "\(graph.neighbour(of: node, at: $0))" }
    }
  }

  private func graph(_ log: EventLog, of other: Dataset? = nil) -> InteractionGraph {
    GraphStore(dataset: other ?? data, cacheFolder: folder.path, report: log.append)
      .interactionGraph(.exact)
  }

  @Test("is written once, mapped afterwards, and has the rows that are made in memory")
  func kept() throws {
    let expected = rows(GraphStore(data).interactionGraph(.exact))
    let log = EventLog()
    #expect(rows(graph(log)) == expected)
    #expect(log.loadedCount == 0)
    let path = try file()
    #expect(rows(graph(log)) == expected)
    #expect(log.events == [.loaded(path: path)])
  }

  @Test("a damaged file, or one of other data, is refused and replaced")
  func damaged() throws {
    let expected = rows(graph(EventLog()))
    let path = try file()
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    for position in [0, 8, 20, 60, whole.count / 2, whole.count - 1] {
      var bytes = whole
      bytes[position] ^= 1
      try bytes.write(to: URL(fileURLWithPath: path))
      let log = EventLog()
      #expect(rows(graph(log)) == expected, "byte \(position)")
      guard case .refused(path, _)? = log.events.first else {
        Issue.record("byte \(position) was not noticed")
        continue
      }
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == whole)
    }
    try whole.prefix(100).write(to: URL(fileURLWithPath: path))
    #expect(rows(graph(EventLog())) == expected)
    let other = try GraphData.random(users: 30, items: 20, seed: 2)
    let log = EventLog()
    #expect(
      rows(graph(log, of: other)) == rows(GraphStore(other).interactionGraph(.exact)))
    #expect(log.events.isEmpty, "other data has a file of its own")
  }

  @Test("a folder that cannot be written leaves the lists in memory, with a report")
  func unwritable() throws {
    try folder.write("", to: "occupied")
    let log = EventLog()
    let store = GraphStore(
      dataset: data, cacheFolder: folder.path("occupied/graphs"), report: log.append)
    #expect(
      rows(store.interactionGraph(.exact)) == rows(GraphStore(data).interactionGraph(.exact)))
    guard case .notWritten? = log.events.last else {
      Issue.record("no report: \(log.events)")
      return
    }
  }
}
