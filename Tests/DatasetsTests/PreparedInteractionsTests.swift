import Datasets
import Foundation
import Synchronization
import Tensors
import TestSupport
import Testing

/// Large texts in binary form: the same data set as from the text, and the same messages for a text
/// with a problem.
@Suite("Prepared interactions")
struct PreparedInteractionsTests {
  private let data: TemporaryFolder
  private let kept: TemporaryFolder

  init() throws {
    data = try TemporaryFolder(name: "data")
    kept = try TemporaryFolder()
  }

  /// What a cache reports, without progress.
  private final class Events: Sendable {
    private let list = Mutex<[InteractionCacheEvent]>([])

    func note(_ event: InteractionCacheEvent) {
      if case .preparing = event { return }
      list.withLock { $0.append(event) }
    }

    var names: [String] {
      list.withLock { $0 }.map { event in
        switch event {
        case .preparing: "preparing"
        case .prepared: "prepared"
        case .loaded: "loaded"
        case .refused(_, let reason): "refused: \(reason)"
        case .notWritten: "not written"
        }
      }
    }
  }

  private func load(_ events: Events? = nil, in folder: String? = nil) throws -> Dataset {
    let cache = InteractionCache(folder: folder ?? kept.path, smallestByteCount: 0) {
      events?.note($0)
    }
    return try Dataset.load(folder: data.path, needsFeatures: false, cache: cache)
  }

  private func loadText() throws -> Dataset {
    try Dataset.load(folder: data.path, needsFeatures: false)
  }

  /// Lines of 40 users and 50 items in an arbitrary order. User 7 has nothing in training.
  private static let rows: String = {
    let random = CounterRandom(seed: 5, stream: .generator)
    var lines: [(key: Double, line: String)] = []
    for user in 0..<40 {
      let count = 1 + random.integer(below: 9, id: user)
      let first = random.integer(below: 50, id: user, index: 1)
      for index in 0..<max(count, user == 7 ? 3 : 1) {
        let item = (first + index * 7) % 50
        let label = user == 7 ? 1 + index % 2 : [0, 0, 0, 1, 0, 2][index % 6]
        let key = Double(random.integer(below: 1_000_000, id: user, index: 2 + index))
        lines.append((key + Double(user) / 100, "\(user)\t\(item)\t1\t0\t\(label)\n"))
      }
    }
    for item in 0..<50 { lines.append((Double(item) * 20_000 + 0.5, "40\t\(item)\t1\t0\t0\n")) }
    lines.append((3, "41\t2\t1\t0\t0\n"))
    return lines.sorted { $0.key < $1.key }.map(\.line).joined()
  }()

  /// ``rows`` without the user that has every item: no negative could be drawn.
  private static var usableRows: String {
    rows.split(separator: "\n").filter { !$0.hasPrefix("40\t") || $0.contains("\t0\t1\t0\t") }
      .map { "\($0)\n" }.joined()
  }

  private func write(_ rows: String) throws {
    try data.write(SmallData.header + rows, to: "data.inter")
    try NPYWriter.write(
      SmallData.features(rows: 50, columns: 2), to: data.path("text_feat.npy"))
  }

  private func expectSame(_ first: Dataset, _ second: Dataset) {
    #expect(first.digest == second.digest)
    #expect(first.trainUsers == second.trainUsers && first.trainItems == second.trainItems)
    #expect(first.train == second.train && first.valid == second.valid)
    #expect(first.test == second.test && first.dropped == second.dropped)
    #expect(first.negativePool == second.negativePool && first.columns == second.columns)
    #expect(first.userCount == second.userCount && first.itemCount == second.itemCount)
  }

  @Test("the first start prepares, the next one reads, and both have what the text says")
  func sameData() throws {
    try write(Self.usableRows)
    let text = try loadText()
    #expect(text.dropped == (try load().dropped) && text.dropped.users == 1)
    let events = Events()
    expectSame(try load(events), text)
    #expect(events.names == ["loaded"])
    let batch = { (dataset: Dataset) in
      BatchSampler(dataset: dataset, seed: 3, batchSize: 16).batch(
        epoch: 1, step: 1, shard: 0, shardCount: 1)
    }
    let (first, second) = (batch(text), batch(try load()))
    #expect(first.users == second.users && first.negatives == second.negatives)
    #expect(try kept.files.count == 1, "no temporary file stays")
  }

  @Test("any size of the windows gives the same file", arguments: [1, 13, 1 << 20])
  func windows(size: Int) throws {
    try write(Self.rows)
    let text = try MappedFile(path: data.path("data.inter"))
    let digest = String(repeating: "a", count: 32)
    for (name, windowSize) in [("one", size), ("other", 50)] {
      let preparation = try InteractionPreparation(
        text, digest: digest, target: kept.path(name), windowSize: windowSize)
      #expect(try preparation.write { _ in })
    }
    #expect(try kept.read("one") == kept.read("other"))
    let prepared = try #require(try PreparedInteractions(path: kept.path("one"), source: digest))
    #expect(prepared.counts.users == 42 && prepared.counts.largestItem == 49)
    #expect(prepared.counts.missingItem == -1 && prepared.counts.dropped == [1, 2, 1])
  }

  @Test("other text is prepared again, and small text is not")
  func otherText() throws {
    try write(Self.usableRows)
    _ = try load()
    try write(Self.usableRows + "41\t3\t1\t0\t0\n")
    let events = Events()
    expectSame(try load(events), try loadText())
    #expect(events.names == ["prepared"])
    #expect(try kept.files.count == 2)

    let none = try TemporaryFolder()
    let cache = InteractionCache(folder: none.path, smallestByteCount: 1 << 20)
    expectSame(
      try Dataset.load(folder: data.path, needsFeatures: false, cache: cache), try loadText())
    #expect(try none.files.isEmpty)
  }

  @Test("a damaged file is refused and replaced; a folder that cannot be written costs nothing")
  func damaged() throws {
    try write(Self.usableRows)
    _ = try load()
    let name = try #require(try kept.files.first)
    let good = try kept.read(name)
    var bytes = good
    bytes[bytes.count / 2] ^= 1
    try kept.write(bytes, to: name)
    let events = Events()
    expectSame(try load(events), try loadText())
    #expect(events.names.first?.contains("damaged") == true && events.names.last == "prepared")
    #expect(try kept.read(name) == good)

    let blocked = Events()
    expectSame(try load(blocked, in: data.path("data.inter/folder")), try loadText())
    #expect(blocked.names == ["not written"])
  }

  @Test(
    "a problem of a text has the message that its reader gives, and nothing is kept",
    arguments: [
      "0\t0\t1\t0\t0\n0\t1\t1\t0\t1\n0\t0\t1\t0\t2\n1\t1\t1\t0\t0\n",
      "0\t0\t1\t0\t0\n2\t1\t1\t0\t0\n", "0\t0\t1\t0\t0\n99\t1\t1\t0\t0\n",
      "0\t0\t1\t0\t0\n0\tx\t1\t0\t0\n", "0\t0\t1\t0\t1\n", "0\t0\t1\t0\t0\n0\t0\t1\t0\t0\n",
      "", "0\t0\t1\t0\t7\n",
      // User 1 has nothing in training and is dropped, and is wrong nevertheless.
      "0\t0\t1\t0\t0\n0\t1\t1\t0\t1\n1\t2\t1\t0\t1\n1\t2\t1\t0\t2\n",
    ])
  func problems(rows: String) throws {
    try write(rows)
    let expected = problem { try loadText() }
    #expect(problem { try load() } == expected, "\(expected)")
    #expect(try kept.files.isEmpty)
  }

  @Test("items without features, users with every item: the text's reader explains")
  func explained() throws {
    try write("0\t0\t1\t0\t0\n0\t3\t1\t0\t1\n1\t1\t1\t0\t0\n")
    try NPYWriter.write(
      SmallData.features(rows: 3, columns: 2), to: data.path("text_feat.npy"))
    #expect(problem { try load() } == problem { try loadText() })
    try FileManager.default.removeItem(atPath: data.path("text_feat.npy"))
    expect(problem { try load() }, says: "item 2 has no interaction")
    try write(Self.rows)
    let whole = problem { try load() }
    expect(whole, says: "user 40", "no negative item can be drawn")
    #expect(whole == problem { try loadText() })
  }

  @Test("a file is never trusted: whatever is in it, it is refused or complete")
  func fuzz() throws {
    try write(Self.usableRows)
    _ = try load()
    let name = try #require(try kept.files.first)
    let sample = try kept.read(name)
    let source = String(name.dropFirst("interactions-".count).dropLast(".bin".count))
    let memory = try MemoryFile("interactions.bin")
    // A number of the header, or one of the offsets, users and items.
    let changeNumber: InputMutator.Change = { bytes, random in
      guard bytes.count > 60 else { return }
      let place = 48 + 4 * random.below((bytes.count - 56) / 4)
      let number =
        random.oneIn(2) ? UInt64(random.below(60)) : InputMutator.integer(&random)
      for index in 0..<(random.oneIn(2) ? 8 : 4) {
        bytes[place + index] = UInt8(truncatingIfNeeded: number >> UInt64(8 * index))
      }
    }
    try FuzzRun.run(
      FuzzedParser(
        "prepared-interactions", inputs: InputMutator(files: [sample], changes: [changeNumber]),
        rounds: 20_000
      ) { parts, random in
        var bytes = parts[0]
        if !random.oneIn(8), bytes.count >= ByteDigest.digitCount {
          var digest = ByteDigest()
          let content = bytes.dropLast(ByteDigest.digitCount)
          content.withUnsafeBytes { digest.append($0) }
          bytes.replaceSubrange(content.endIndex..., with: digest.hexadecimal.utf8)
        }
        try memory.write(bytes)
        do {
          let read = try PreparedInteractions(path: memory.path, source: source)
          guard let counts = read?.counts, counts.interactions[0] > 0 else {
            throw FuzzFailure("a file without training interactions was accepted")
          }
          return .accepted
        } catch let error as CachedFileError {
          return .refused(error.message)
        }
      })
  }
}
