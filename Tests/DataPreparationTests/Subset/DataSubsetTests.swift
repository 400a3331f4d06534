import DataPreparation
import Datasets
import Foundation
import TestSupport
import Testing

/// Subsets of whole folders.
@Suite struct DataSubsetTests {
  private let folder: TemporaryFolder
  private let data = UnsplitData(seed: 31, perUser: 10...25)

  init() throws {
    folder = try TemporaryFolder()
    try data.write(to: folder.path("source"))
  }

  /// A subset's interactions by original ids, with labels if the source has them.
  private func take(
    _ name: String, from source: String = "source", _ change: (inout DataSubset) -> Void
  ) throws -> (summary: SubsetSummary, pairs: [String: SplitLabel?]) {
    var subset = DataSubset(seed: 3)
    change(&subset)
    let summary = try subset.run(
      folder: folder.path(source), to: folder.path(name), replacesExisting: false
    ) { _, _ in }
    return (summary, try UnsplitData.pairs(of: folder.path(name)))
  }

  @Test("a smaller sample is contained in a larger one")
  func nested() throws {
    var larger: Set<String>?
    for share in [0.9, 0.5, 0.3, 0.1] {
      let users = try take("users-\(share)") { $0.users = .share(share) }
      #expect(users.summary.sampledUsers == Int((share * 40).rounded()))
      #expect(users.summary.users == users.summary.sampledUsers)
      if let larger { #expect(larger.isSuperset(of: users.pairs.keys)) }
      larger = Set(users.pairs.keys)
    }
    larger = nil
    for count in [20, 10, 5] {
      let items = try take("items-\(count)") { $0.items = .count(count) }
      #expect(items.summary.sampledItems == count && items.summary.items == count)
      if let larger { #expect(larger.isSuperset(of: items.pairs.keys)) }
      larger = Set(items.pairs.keys)
    }
  }

  @Test("a sample has all interactions of its users, and depends on the seed")
  func wholeUsers() throws {
    let taken = try take("a") { $0.users = .count(10) }
    let users = Set(taken.pairs.keys.map { $0.split(separator: "/")[0] })
    #expect(users.count == 10)
    let all = data.rows.filter { users.contains(UnsplitData.userID(Int($0.user))[...]) }
    #expect(all.count == taken.pairs.count)
    let other = try take("b") { ($0.users, $0.seed) = (.count(10), 4) }
    #expect(Set(other.pairs.keys) != Set(taken.pairs.keys))
  }

  @Test("a subset of a split has its labels, in either order of the two steps")
  func labelsStay() throws {
    let split = DataSplit(method: .random(nil), seed: 8)
    let report: StageReport = { _, _ in }
    try split.run(
      folder: folder.path("source"), to: folder.path("split"), replacesExisting: false,
      report: report)
    let whole = try UnsplitData.pairs(of: folder.path("split"))
    let taken = try take("split-subset", from: "split") { $0.users = .share(0.5) }
    #expect(taken.summary.isSplit)
    for (pair, label) in taken.pairs { #expect(whole[pair] == label) }

    // Random labels come from the seed and the original ids, so the order makes no difference.
    _ = try take("subset") { $0.users = .share(0.5) }
    try split.run(
      folder: folder.path("subset"), to: folder.path("subset-split"), replacesExisting: false,
      report: report)
    #expect(try UnsplitData.pairs(of: folder.path("subset-split")) == taken.pairs)
  }

  @Test("a subset of a split without one of the parts that training needs is refused")
  func missingPart() throws {
    try DataSplit(method: .time(.ratios(.standard)), seed: 1).run(
      folder: folder.path("source"), to: folder.path("split"), replacesExisting: false
    ) { _, _ in }
    let early = try #require(throws: DatasetError.self) {
      try take("early", from: "split") { $0.to = 1_400_000_000 + 10 * 86_400 }
    }
    #expect(early.message.contains("for validation left"), "\(early.message)")
    let late = try #require(throws: DatasetError.self) {
      try take("late", from: "split") { $0.from = 1_400_000_000 + 48 * 86_400 }
    }
    #expect(late.message.contains("for training left"), "\(late.message)")
    #expect(try folder.files == ["source", "split"])
  }

  @Test("a subset in time has the interactions from one point to before another")
  func time() throws {
    let (from, to) = (1_400_000_000 + 10 * 86_400.0, 1_400_000_000 + 20 * 86_400.0)
    let taken = try take("a") { ($0.from, $0.to) = (from, to) }
    let expected = data.rows.filter { $0.time >= from && $0.time < to }
    #expect(taken.pairs.count == expected.count && !expected.isEmpty)
    #expect(taken.summary.outsideTime == data.rows.count - expected.count)
    let error = try #require(throws: DatasetError.self) { try take("b") { $0.from = 2e9 } }
    #expect(error.message.contains("2014-05-13"), "\(error.message)")
    #expect(throws: DatasetError.self) { try take("source") { $0.from = 0 } }
  }

  @Test("features are those of the items that were taken")
  func features() throws {
    let taken = try take("a") { $0.items = .count(7) }
    let (source, _) = try SourceFolder.read(folder.path("a"))
    let items = try #require(source.items)
    var row = [Float](repeating: 0, count: 3)
    for item in 0..<taken.summary.items {
      try #require(source.features.first).matrix.copyRow(item, to: &row)
      #expect(items.id(of: item) == UnsplitData.itemID(Int(row[0])))
    }
    let all = try take("b") { ($0.items, $0.keepsColdItems) = (.count(7), true) }
    #expect(all.summary.items == data.itemCount)
  }
}
