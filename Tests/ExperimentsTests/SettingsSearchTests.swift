import Experiments
import Foundation
import Recommenders
import TestSupport
import Testing

@Suite struct SettingsSearchTests {
  private static let grid = """
    learning_rate: [1e-6, 1e-2]
    seed: [1, 2]
    hyper_parameters: [learning_rate, seed]
    """

  /// A finished sweep over two learning rates, and the settings that it chose.
  private static func searched() throws -> (tiny: TinySweep, chosen: [SweepRun]) {
    let tiny = try TinySweep()
    let runs = try tiny.runner().run(tiny.points(grid))
    let chosen = try #require(try SweepReport(runs).chosenByValidation)
    return (tiny, runs.filter { $0.coordinates.contains(chosen.coordinates[0]) })
  }

  private static func apply(
    _ paths: [String], searches: [String] = [], chosenOnly: Bool = false, includes: Bool = false
  ) throws -> (groups: [ComparedGroup], warnings: [String]) {
    let groups = try ComparedGroup.groups(in: paths, chosenOnly: chosenOnly)
    let found =
      try SettingsSearch.all(of: paths, isChosenOnly: chosenOnly)
      + SettingsSearch.all(of: searches, isChosenOnly: false)
    return try found.apply(to: groups, includesSearchSeeds: includes)
  }

  @Test("the chosen settings of a sweep are refused with the seeds that chose them, or marked")
  func chosen() throws {
    let (tiny, _) = try Self.searched()
    #expect {
      try Self.apply([tiny.sweep.path], chosenOnly: true)
    } throws: {
      "\($0)".contains("seeds that it has here (1, 2)") && "\($0)".contains(tiny.sweep.path)
        && "\($0)".contains("--include-search-seeds")
    }
    let marked = try Self.apply([tiny.sweep.path], chosenOnly: true, includes: true)
    #expect(marked.groups.map(\.searchSeeds) == [[1, 2]])
    let report = try ComparisonReport(
      marked.groups, metrics: ["recall@5"], split: .test,
      users: { try PerUserMetrics.load(run: $0.path) })
    #expect(report.rows[0].searchSeeds == [1, 2])
    #expect(report.lines[1].contains(" *"), "\(report.lines)")
  }

  @Test("a whole sweep is compared, not chosen from")
  func whole() throws {
    let (tiny, _) = try Self.searched()
    let whole = try Self.apply([tiny.sweep.path])
    #expect(whole.groups.count == 2 && whole.groups.allSatisfy { $0.runs.count == 2 })
    #expect(whole.groups.allSatisfy(\.searchSeeds.isEmpty) && whole.warnings.isEmpty)
  }

  @Test("the best run, named by its own folder, is a run of the search")
  func runOfSweep() throws {
    let (tiny, chosen) = try Self.searched()
    let path = "\(tiny.sweep.path)/\(chosen[0].folder)"
    #expect {
      try Self.apply([path])
    } throws: { "\($0)".contains("seeds that it has here (1)") }
  }

  @Test("of settings with other seeds too, those of the search are left out, which is said")
  func otherSeeds() throws {
    let (tiny, chosen) = try Self.searched()
    let rate = try #require(chosen[0].coordinates.first { $0.name == "learning_rate" }?.value)
    let other = try TinySweep(data: tiny.data)
    let runs = try other.runner().run(
      other.points("learning_rate: \(rate)\nseed: [2, 7]\nhyper_parameters: [seed]"))
    #expect(runs.allSatisfy { $0.state == .finished })
    let plain = try other.runner().run(other.points("learning_rate: 1e-4\nseed: 7"))
    let paths =
      [plain[0], runs[0], runs[1]].map { "\(other.sweep.path)/\($0.folder)" }
    // By themselves the runs do not show that they were searched for.
    #expect(try Self.apply(paths).groups.map { $0.runs.count } == [1, 2])
    let known = try Self.apply(paths, searches: [tiny.sweep.path])
    #expect(known.groups.map { $0.runs.map(\.seed) } == [[7], [7]])
    #expect(known.warnings.count == 2, "\(known.warnings)")
    #expect(known.warnings[0].contains("the seeds 2, on which '\(tiny.sweep.path)'"))
    #expect(known.warnings[1].contains("not all settings were searched alike"))
    #expect(known.warnings[1].contains("is the best of 2 settings (learning_rate: 2 values)"))
    withExtendedLifetime(tiny) {}
  }

  @Test("a sweep over objectives is no search")
  func objectives() throws {
    let tiny = try TinySweep()
    _ = try tiny.runner().run(
      tiny.points(
        "objective: [plain, mrdib]\nseed: [1]\nhyper_parameters: [objective, seed]"))
    #expect(try SettingsSearch.all(of: [tiny.sweep.path], isChosenOnly: false).isEmpty)
  }
}
