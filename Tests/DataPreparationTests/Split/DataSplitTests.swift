import DataPreparation
import Datasets
import Foundation
import TestSupport
import Testing

/// Splits of whole folders.
@Suite struct DataSplitTests {
  private let folder: TemporaryFolder
  private let data = UnsplitData(seed: 21)

  init() throws { folder = try TemporaryFolder() }

  @discardableResult
  private func run(
    _ split: DataSplit, from source: String = "source", to name: String
  ) throws -> SplitSummary {
    try split.run(
      folder: folder.path(source), to: folder.path(name), replacesExisting: false
    ) { _, _ in }
  }

  /// The problem that a split ends with.
  private func problem(_ split: DataSplit) throws -> String {
    let error = try #require(throws: DatasetError.self) { try run(split, to: "refused") }
    #expect(try folder.files == ["source"], "something was written")
    return error.message
  }

  @Test("every interaction is in the new folder once, with its label")
  func allRows() throws {
    try data.write(to: folder.path("source"))
    let summary = try run(DataSplit(method: .random(nil), seed: 1), to: "out")
    let pairs = try UnsplitData.pairs(of: folder.path("out"))
    let expected = Set(
      data.rows.map {
        UnsplitData.userID(Int($0.user)) + "/" + UnsplitData.itemID(Int($0.item))
      })
    #expect(Set(pairs.keys) == expected)
    #expect(pairs.values.count { $0 == .valid } == summary.valid)
    #expect(pairs.values.count { $0 == .test } == summary.test)
    #expect(summary.interactions == data.rows.count && summary.valid > 0)
    let loaded = try Dataset.load(folder: folder.path("out"), needsFeatures: true)
    #expect(loaded.userCount == data.userCount && loaded.itemCount == data.itemCount)
    #expect(loaded.trainUsers.count == summary.train)
  }

  @Test("the same interactions and seed give the same bytes, whatever the order of lines")
  func sameBytes() throws {
    try data.write(to: folder.path("source"))
    var shuffled = data
    var generator = SeededGenerator(seed: 2)
    shuffled.rows.shuffle(using: &generator)
    try shuffled.write(to: folder.path("shuffled"))
    let methods: [SplitMethod] = [
      .random(nil), .userTime(.standard), .leaveOneOut, .time(.ratios(.standard)),
    ]
    for (number, method) in methods.enumerated() {
      var split = DataSplit(method: method, seed: 5)
      split.itemCore = 3
      try run(split, to: "a\(number)")
      try run(split, from: "shuffled", to: "b\(number)")
      let files = try UnsplitData.files(of: folder.path("a\(number)"))
      #expect(files.keys.contains("small.inter") && files.keys.contains("dataset.yaml"))
      #expect(try files == UnsplitData.files(of: folder.path("b\(number)")))
    }
    try run(DataSplit(method: .random(nil), seed: 6), to: "other")
    #expect(
      try UnsplitData.files(of: folder.path("other"))["small.inter"]
        != UnsplitData.files(of: folder.path("a0"))["small.inter"])
  }

  @Test("after renumbering, ids, titles, features and masks are those of the same items")
  func renumbered() throws {
    let masked: Set<Int> = [3, 4, 17, 29]
    try data.write(to: folder.path("source"), masked: masked)
    try folder.write([1], to: "source/text_knn10.npy")
    var split = DataSplit(method: .random(nil), seed: 1)
    (split.userCore, split.itemCore) = (8, 13)
    let summary = try run(split, to: "out")
    #expect(summary.items < data.itemCount && summary.users < data.userCount)
    #expect(summary.outsideCore > 0 && summary.coreRounds > 0)
    #expect(summary.staleNeighbourFiles == ["text_knn10.npy"])
    #expect(summary.lines.contains { $0.contains("text_knn10.npy") })

    let (source, columns) = try SourceFolder.read(folder.path("out"))
    #expect(source.userCount == summary.users && source.itemCount == summary.items)
    let items = try #require(source.items)
    let feature = try #require(source.features.first)
    let mask = try #require(feature.mask)
    #expect(feature.modality?.fill == .zero)
    var row = [Float](repeating: 0, count: 3)
    var old: [Int] = []
    for item in 0..<source.itemCount {
      feature.matrix.copyRow(item, to: &row)
      old.append(Int(row[0]))
      #expect(items.id(of: item) == UnsplitData.itemID(Int(row[0])))
      #expect(items.value(.title, of: item) == "Title of \(Int(row[0]))")
      #expect(mask.isPresent[item] == !masked.contains(Int(row[0])))
    }
    #expect(old == old.sorted())
    // The core: all users and items have enough, and the rows are rows of the source.
    let known = Set(
      data.rows.map {
        UnsplitData.userID(Int($0.user)) + "/" + UnsplitData.itemID(Int($0.item))
      })
    #expect(try known.isSuperset(of: UnsplitData.pairs(of: folder.path("out")).keys))
    let perUser = Dictionary(grouping: columns.users) { $0 }.mapValues(\.count)
    let perItem = Dictionary(grouping: columns.items) { $0 }.mapValues(\.count)
    #expect(perUser.values.allSatisfy { $0 >= 8 } && perItem.values.allSatisfy { $0 >= 13 })
    #expect(perUser.count == summary.users && perItem.count == summary.items)
    #expect(!FileManager.default.fileExists(atPath: folder.path("out/text_knn10.npy")))
  }

  @Test("items without interactions stay if they have features, unless there is a core")
  func coldItems() throws {
    var sparse = data
    sparse.rows.removeAll { $0.item == 7 || $0.item == 8 }
    try sparse.write(to: folder.path("source"), masked: [8])
    let kept = try run(DataSplit(method: .random(nil), seed: 1), to: "kept")
    // Item 8 has neither features nor interactions.
    #expect(kept.items == data.itemCount - 1)
    var split = DataSplit(method: .random(nil), seed: 1)
    split.itemCore = 2
    #expect(!split.stayingColdItems)
    split.keepsColdItems = true
    let both = try run(split, to: "both")
    #expect(both.items == data.itemCount - 1)
    split.itemCore = 0
    split.keepsColdItems = false
    #expect(try run(split, to: "dropped").items == data.itemCount - 2)
  }

  @Test("low ratings and repetitions are left out, in this order")
  func filters() throws {
    var repeated = data
    let first = data.rows[0]
    // The earlier of the two has a low rating, so the later one stays.
    repeated.rows[0].rating = 1
    repeated.rows.append(
      .init(user: first.user, item: first.item, rating: 5, time: first.time + 1e8))
    try repeated.write(to: folder.path("source"))
    var split = DataSplit(method: .random(nil), seed: 1)
    #expect(try run(split, to: "all").duplicates == 1)
    split.minimumRating = 3
    let summary = try run(split, to: "high")
    #expect(summary.duplicates == 0)
    #expect(summary.belowMinimumRating == repeated.rows.count { $0.rating < 3 })
    let name = UnsplitData.userID(Int(first.user)) + "/" + UnsplitData.itemID(Int(first.item))
    #expect(try UnsplitData.pairs(of: folder.path("high")).keys.contains(name))
  }

  @Test("the history says how the split was made, after what was done before")
  func history() throws {
    try data.write(to: folder.path("source"))
    var split = DataSplit(method: .userTime(.standard), seed: 17)
    split.minimumRating = 2
    (split.userCore, split.itemCore) = (3, 2)
    let summary = try run(split, to: "out")
    let history = try DatasetDescription.read(folder: folder.path("out")).history
    #expect(history.steps.map(\.name) == ["import", "split"])
    let step = try #require(history.split)
    let expected = [
      "by": "user-time", "ratios": "0.8,0.1,0.1", "seed": "17", "minimum_rating": "2",
      "duplicates": "first", "user_core": "3", "item_core": "2", "cold_items": "dropped",
      "train": "\(summary.train)", "valid": "\(summary.valid)", "test": "\(summary.test)",
      "users": "\(summary.users)", "items": "\(summary.items)",
    ]
    for (key, value) in expected { #expect(step[key] == value, "\(key)") }
  }

  @Test("what cannot be split is refused with what to do, and nothing is written")
  func refusals() throws {
    try data.write(to: folder.path("source"), hasTimes: false)
    #expect(
      try problem(DataSplit(method: .time(.ratios(.standard)), seed: 1)).contains("--by random"))
    var core = DataSplit(method: .random(nil), seed: 1)
    (core.userCore, core.itemCore) = (100, 100)
    let sentence = try problem(core)
    let number = try #require(sentence.split(separator: " ").last.flatMap { Int($0) })
    (core.userCore, core.itemCore) = (number + 1, number + 1)
    #expect(try problem(core).hasSuffix("--core \(number)"))
    var high = DataSplit(method: .random(nil), seed: 1)
    high.minimumRating = 6
    #expect(try problem(high).contains("the highest is 5.0"))
    var refusing = data
    refusing.rows.append(data.rows[0])
    try refusing.write(to: folder.path("source"))
    var strict = DataSplit(method: .random(nil), seed: 1)
    strict.duplicates = .refuse
    #expect(try problem(strict).contains(UnsplitData.userID(Int(data.rows[0].user))))
    let late = DataSplit(method: .time(.points(valid: 3e9, test: 4e9)), seed: 1)
    #expect(try problem(late).contains("validation and test: choose other times"))
  }

  @Test("users with one or two interactions cannot be held out")
  func tooFew() throws {
    let few = UnsplitData(seed: 1, userCount: 9, itemCount: 6, perUser: 1...2)
    try few.write(to: folder.path("source"))
    #expect(try problem(DataSplit(method: .leaveOneOut, seed: 1)).contains("3 interactions"))
  }

  @Test("a split folder is split again only on request, and its own folder is not replaced")
  func splitAgain() throws {
    try data.write(to: folder.path("source"))
    var split = DataSplit(method: .random(nil), seed: 1)
    try run(split, to: "out")
    #expect(throws: DatasetError.self) { try run(split, from: "out", to: "again") }
    split.replacesSplit = true
    try run(split, from: "out", to: "again")
    // Labels come from original ids, and are the same again.
    #expect(
      try UnsplitData.pairs(of: folder.path("again")) == UnsplitData.pairs(of: folder.path("out")))
    #expect(throws: DatasetError.self) {
      try split.run(
        folder: folder.path("out"), to: folder.path("out"), replacesExisting: true
      ) { _, _ in }
    }
    #expect(throws: DatasetError.self) {
      try split.run(
        folder: folder.path("out"), to: folder.path, replacesExisting: true
      ) { _, _ in }
    }
    #expect(try UnsplitData.pairs(of: folder.path("out")).count == data.rows.count)
  }

  @Test("a split that is stopped leaves nothing")
  func stopped() throws {
    try data.write(to: folder.path("source"))
    struct Stopped: Error {}
    for stage in ["reading", "dividing", "writing interactions", "writing ids of items"] {
      #expect(throws: Stopped.self) {
        try DataSplit(method: .random(nil), seed: 1).run(
          folder: folder.path("source"), to: folder.path("out"), replacesExisting: false
        ) { reached, _ in
          if reached == stage { throw Stopped() }
        }
      }
      #expect(try folder.files == ["source"])
    }
  }

  @Test("a division that no user can be validated with is refused, with advice that is true")
  func nothingToValidate() throws {
    var single = data
    single.rows = (0..<30).map {
      .init(user: Int32($0), item: Int32($0), rating: 1, time: Double($0))
    }
    try single.write(to: folder.path("source"))
    let byTime = try problem(DataSplit(method: .time(.ratios(.standard)), seed: 1))
    #expect(byTime.contains("no user with interactions for both training and validation"))
    for method in [SplitMethod.random(nil), .random(.standard), .leaveOneOut] {
      #expect(try problem(DataSplit(method: method, seed: 1)).contains("no user with 3"))
    }
  }
}
