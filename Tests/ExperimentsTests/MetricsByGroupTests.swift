import Datasets
import Experiments
import Foundation
import Recommenders
import Tensors
import Testing

@Suite struct MetricsByGroupTests {
  private static func ranges(_ counts: [Int], _ kind: InteractionGroup.Kind) -> [[Int]] {
    InteractionGroup.quartiles(of: counts, kind).map { [$0.fewest, $0.most] }
  }

  @Test("quartiles, by hand: equal counts stay together, and items without any are apart")
  func quartiles() {
    #expect(Self.ranges([1, 2, 3, 4, 5, 6, 7, 8], .users) == [[1, 2], [3, 4], [5, 6], [7, 8]])
    #expect(Self.ranges([5, 1, 1, 1, 1, 1, 9, 2], .users) == [[1, 1], [2, 2], [5, 9]])
    #expect(
      Self.ranges([0, 3, 0, 4, 5, 6], .items) == [[0, 0], [3, 3], [4, 4], [5, 5], [6, 6]])
    #expect(Self.ranges([0, 3], .users) == [[0, 0], [3, 3]])
    #expect(Self.ranges([0, 0], .items) == [[0, 0]])
    #expect(Self.ranges([7], .users) == [[7, 7]])
    #expect(Self.ranges([], .items) == [])
  }

  @Test("groups of users share out the users; hits in groups of items add up to all hits")
  func sums() throws {
    let tiny = try TinySweep()
    let runs = try tiny.runner().run(tiny.points("metrics: [recall, precision]"))
    let path = "\(tiny.sweep.path)/\(runs[0].folder)"
    let all = try PerUserMetrics.compute(run: path).test
    let groups = try MetricsByGroup.compute(run: path, split: .test)
    let users = groups.groups.filter { $0.kind == .users }
    let items = groups.groups.filter { $0.kind == .items }
    #expect(users.count > 1 && items.count > 1)
    #expect(users.flatMap { groups.metrics(of: $0).users }.sorted() == all.users)
    // Precision times K is the number of hits of a user.
    func hits(_ metrics: [UserMetrics]) -> Double {
      metrics.flatMap { $0.values(of: "precision@5") ?? [] }.reduce(0) { $0 + ($1 * 5).rounded() }
    }
    #expect(hits([all]) > 0)
    #expect(hits(items.map(groups.metrics)) == hits([all]))
    #expect(hits(users.map(groups.metrics)) == hits([all]))
    // A user's recall over the items of a group: hits of the group / held-out items of the group.
    let dataset = try Dataset.load(folder: tiny.data, needsFeatures: false)
    var popularity: [Int32: Int] = [:]
    for item in dataset.trainItems { popularity[item, default: 0] += 1 }
    let group = items[items.count - 1]
    let metrics = groups.metrics(of: group)
    for (position, user) in metrics.users.enumerated() {
      let held = dataset.test[user].count { group.includes(popularity[$0] ?? 0) }
      let recall = try #require(metrics.values(of: "recall@5"))[position]
      let precision = try #require(metrics.values(of: "precision@5"))[position]
      #expect(held > 0 && abs(recall * Double(held) - precision * 5) < 1e-12)
    }
  }

  @Test("the report has an effect per group, corrected over all groups; the table stays narrow")
  func report() throws {
    let tiny = try TinySweep()
    _ = try tiny.runner().run(
      tiny.points(
        "objective: [plain, mrdib]\nseed: [1, 2]\nhyper_parameters: [objective, seed]"))
    let groups = try ComparedGroup.groups(in: [tiny.sweep.path], chosenOnly: false)
    let report = try ComparisonReport(
      groups, metrics: ["recall@20"], split: .test,
      users: { try PerUserMetrics.load(run: $0.path) },
      usersByGroup: { try MetricsByGroup.compute(run: $0.path, split: .test) })
    let compared = try #require(report.groups)
    let effects = compared.entries.filter { $0.difference != nil }
    #expect(effects.count > 4 && effects.count * 2 == compared.entries.count)
    #expect(compared.testCount == effects.count { $0.difference?.tTestPValue != nil })
    for entry in effects {
      let difference = try #require(entry.difference)
      #expect(entry.userCount == difference.userCount)
      #expect(abs(entry.mean - entry.baselineMean - difference.gain) < 1e-12)
      if let raw = difference.tTestPValue { #expect(difference.tTestHolmPValue ?? 0 >= raw) }
    }
    // The groups of users, weighted by their sizes, are the whole.
    let users = compared.entries.filter { $0.group.kind == .users && $0.difference != nil }
    let total = users.reduce(0) { $0 + $1.mean * Double($1.userCount) }
    let count = users.reduce(0) { $0 + $1.userCount }
    let whole = try #require(report.rows[1].values["recall@20"]?.mean)
    #expect(abs(total / Double(count) - whole) < 1e-12)
    #expect(report.lines.allSatisfy { $0.count <= 100 }, "\(report.lines)")
    #expect(report.lines.contains { $0.hasPrefix("items with ") })
    let lines = report.csv.split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false).count
    }
    #expect(Set(lines) == [20] && lines.count == 1 + 2 + compared.entries.count)
  }
}
