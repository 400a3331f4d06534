import Datasets
import Foundation
import Synchronization
import Tensors
import TestSupport
import Testing

/// Collects what a store reports.
final class EventLog: Sendable {
  private let log = Mutex<[GraphEvent]>([])

  func append(_ event: GraphEvent) { log.withLock { $0.append(event) } }

  var events: [GraphEvent] { log.withLock { $0 } }

  /// Without the progress of building.
  var keptEvents: [GraphEvent] {
    events.filter { if case .building = $0 { false } else { true } }
  }

  var builtCount: Int {
    events.count { if case .built = $0 { true } else { false } }
  }

  var loadedCount: Int {
    events.count { if case .loaded = $0 { true } else { false } }
  }
}

@Suite("graph cache")
struct GraphCacheTests {
  private let folder: TemporaryFolder
  private let data: Dataset

  init() throws {
    folder = try TemporaryFolder()
    data = try GraphData.random(users: 30, items: 20, seed: 1)
  }

  private func neighbours(
    of dataset: Dataset? = nil, folder path: String? = nil, log: EventLog
  ) throws -> SparseMatrix {
    try GraphStore(
      dataset: dataset ?? data, cacheFolder: path ?? folder.path, report: log.append
    ).itemNeighbours(modality: 0, count: 4, weighting: .weighted)
  }

  @Test("a graph built from features that were overwritten is not kept on disk")
  func overwrittenFeatures() throws {
    let source = try TemporaryFolder(name: "data")
    let users = (0..<3).flatMap { user in
      (0..<4).map { "\(user)\t\(user + $0)\t1\t0\t\($0 == 3 ? 1 : 0)\n" }
    }
    let header = "userID\titemID\trating\ttimestamp\tx_label\n"
    try source.write(header + users.joined(), to: "data.inter")
    let features = Matrix(rows: 6, columns: 4)
    for index in 0..<features.count { features.pointer[index] = Float((index * 7) % 5 + 1) }
    let path = source.path("image_feat.npy")
    try NPYWriter.write(features, to: path)
    let dataset = try Dataset.load(folder: source.path, needsFeatures: true)
    let whole = try source.read("image_feat.npy")

    func overwrite(_ bytes: [UInt8]) throws {
      let file = try #require(FileHandle(forUpdatingAtPath: path))
      try file.write(contentsOf: Data(bytes))
      try file.close()
    }
    var other = whole
    other[other.count - 2] ^= 1
    try overwrite(other)
    _ = try neighbours(of: dataset, log: EventLog())
    #expect(try folder.files == [])
    try overwrite(whole)
    _ = try neighbours(of: dataset, log: EventLog())
    #expect(try folder.files.count == 1)
  }

  @Test("every graph is the same from memory, from disk and rebuilt")
  func everyGraph() throws {
    func graphs(_ store: GraphStore) throws -> [SparseMatrix] {
      let second = try store.secondOrder(extra: 2)
      return [
        store.adjacency(.guarded), store.userItem(.exact), store.meanAdjacency(),
        try store.itemNeighbours(modality: 1, count: 3, weighting: .unweighted),
        store.userNeighbours(count: 5, padding: .none),
        store.userNeighbours(count: 25, padding: .urn(seed: 1, epoch: 1)),
        store.sampledAdjacency(dropout: 0.5, seed: 1, epoch: 1),
        try store.interestGraph(modality: 0, count: 2), second.adjacency, second.userItem,
        second.fixedUserItem,
      ]
    }
    let (first, second) = (EventLog(), EventLog())
    let store = GraphStore(dataset: data, cacheFolder: folder.path, report: first.append)
    let built = try graphs(store)
    let builtCount = first.builtCount
    #expect(builtCount == 7 && first.loadedCount == 0)
    var shares: [String: [Double]] = [:]
    for case .building(let graph, let share) in first.events {
      shares[graph, default: []] += [share]
    }
    #expect(shares.count == 4, "\(shares.keys)")
    #expect(shares.values.allSatisfy { $0 == $0.sorted() && $0.last == 1 && $0.first ?? 0 > 0 })
    for (one, again) in zip(built, try graphs(store)) { #expect(one === again) }
    #expect(first.builtCount == builtCount)

    let loaded = try graphs(
      GraphStore(dataset: data, cacheFolder: folder.path, report: second.append))
    // The pairs behind the interest graph are not needed when that graph is stored.
    #expect(second.builtCount == 0 && second.loadedCount == builtCount - 1)
    for (one, other) in zip(built, loaded) { #expect(one.isIdentical(to: other)) }
    for (one, other) in zip(built, try graphs(GraphStore(data))) {
      #expect(one.isIdentical(to: other))
    }
  }

  @Test("a damaged file is refused with the reason, rebuilt and replaced")
  func damagedFile() throws {
    let built = try neighbours(log: EventLog())
    let file = try #require(try folder.files.first)
    let intact = try folder.read(file)
    var flipped = intact
    flipped[intact.count / 2] ^= 4
    let cut = Array(intact.dropLast(40))
    var version = intact
    version[8] = 9
    for (bytes, reason) in [
      (flipped, "checksum"), (cut, "checksum"), (version, "format version 9"),
      (
        Array("something else, long enough to have a header and more than that".utf8),
        "not a graph"
      ),
      ([], "cut off"),
    ] {
      try folder.write(bytes, to: file)
      let log = EventLog()
      #expect(try neighbours(log: log).isIdentical(to: built))
      let refusal = try #require(log.events.first).description
      #expect(refusal.contains(reason) && refusal.contains(file), "\(refusal)")
      #expect(log.builtCount == 1)
      #expect(try folder.read(file) == intact, "the same bytes as before")
    }
    #expect(try folder.files == [file], "nothing partial stays behind")
  }

  @Test("a file of other data under this name is refused")
  func fileOfOtherData() throws {
    _ = try neighbours(log: EventLog())
    let mine = try #require(try folder.files.first)
    let bytes = try folder.read(mine)
    try FileManager.default.removeItem(atPath: folder.path(mine))
    let other = try GraphData.random(users: 30, items: 20, seed: 2)
    let built = try neighbours(of: other, log: EventLog())
    let theirs = try #require(try folder.files.first)
    #expect(mine != theirs, "the name depends on the data")
    try folder.write(bytes, to: theirs)
    let log = EventLog()
    #expect(try neighbours(of: other, log: log).isIdentical(to: built))
    #expect(log.events.first?.description.contains("other data") == true)
  }

  @Test("a folder that cannot be written to costs only time")
  func unwritableFolder() throws {
    try folder.write([1], to: "file")
    let log = EventLog()
    let graph = try neighbours(folder: folder.path("file/inside"), log: log)
    #expect(graph.isIdentical(to: try neighbours(log: EventLog())))
    #expect(log.builtCount == 1 && log.keptEvents.count == 2)
    #expect(log.events.last?.description.contains("next start rebuilds it") == true)
  }

  @Test("stores that share a folder and build at the same time leave one whole file")
  func concurrentStores() async throws {
    let (data, folder) = (data, folder)
    let graphs = try await withThrowingTaskGroup(of: SparseMatrix.self) { group in
      for _ in 0..<8 {
        group.addTask {
          try GraphStore(dataset: data, cacheFolder: folder.path)
            .itemNeighbours(modality: 0, count: 4, weighting: .weighted)
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(graphs.allSatisfy { $0.isIdentical(to: graphs[0]) })
    #expect(try folder.files.count == 1)
    let log = EventLog()
    #expect(try neighbours(log: log).isIdentical(to: graphs[0]) && log.loadedCount == 1)
  }

  @Test("threads that share a store build a graph once")
  func concurrentThreads() async throws {
    let log = EventLog()
    let store = GraphStore(dataset: data, cacheFolder: nil, report: log.append)
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask { _ = try? store.secondOrder(extra: 1) }
      }
    }
    #expect(log.builtCount == 1)
  }

  @Test("a file that matches its checksum but is not a graph is refused", arguments: 0..<4)
  func wellFormedNonsense(kind: Int) throws {
    let nonsense: SparseMatrix =
      switch kind {
      case 0:  // a column outside
        SparseMatrix(rows: 2, columns: 9, offsets: [0, 1, 2], indices: [0, 5], values: [1, 1])
      case 1:  // columns that do not ascend
        SparseMatrix(rows: 2, columns: 3, offsets: [0, 2, 2], indices: [1, 1], values: [1, 1])
      case 2:  // rows that overlap
        SparseMatrix(rows: 2, columns: 3, offsets: [0, 3, 2], indices: [0, 1], values: [1, 1])
      default:  // not a number
        SparseMatrix(rows: 2, columns: 3, offsets: [0, 1, 1], indices: [0], values: [.nan])
      }
    let file = GraphFile(path: folder.path("x.csr"), inputs: String(repeating: "01", count: 16))
    try file.write(nonsense)
    #expect(throws: CachedFileError.self) { try file.read(rows: 2, columns: 3) }
  }
}
