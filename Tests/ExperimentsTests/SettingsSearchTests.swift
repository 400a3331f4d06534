import Configuration
import Experiments
import Foundation
import Recommenders
import Runtime
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

  /// Writes the record of a search by 'mrdib tune', as far as it is read.
  private static func record(
    of sweep: SweepFolder, tried: [SweepRun], chosen: SweepRun, seeds: [Int]
  ) throws {
    func settings(_ run: SweepRun) -> [String: Any] {
      [
        "digest": run.repetitionDigest,
        "coordinates": run.coordinates.filter { $0.name != "seed" }.map {
          ["name": $0.name, "value": $0.value]
        },
      ]
    }
    let rung: [String: Any] = ["rows": tried.map(settings)]
    let content: [String: Any] = [
      "schema_version": 1, "search_seeds": seeds, "chosen": settings(chosen),
      "rungs": [rung, rung],
    ]
    try JSONSerialization.data(withJSONObject: content)
      .write(to: URL(filePath: sweep.absolute("tune.json")))
  }

  @Test("of a search by 'mrdib tune' its record says what was chosen on which seeds")
  func tuned() throws {
    let (tiny, best) = try Self.searched()
    let runs = try SweepStore(path: tiny.sweep.storePath).runs()
    // Not what the sweep would choose: only the record says it.
    let other = runs.filter { run in !best.contains { $0.folder == run.folder } }
    try Self.record(of: tiny.sweep, tried: runs, chosen: other[0], seeds: [2, 40])
    let searches = try SettingsSearch.all(of: [tiny.sweep.path], isChosenOnly: false)
    #expect(searches.map(\.seeds) == [[2, 40]])
    #expect(searches[0].axes.map(\.name) == ["learning_rate"])
    #expect(searches[0].axes.map(\.valueCount) == [2])
    let found = try Self.apply([tiny.sweep.path], chosenOnly: true)
    #expect(found.groups.map { $0.runs.map(\.path) } == [[tiny.sweep.absolute(other[0].folder)]])
    #expect(found.groups[0].runs[0].seed == 1)
    #expect(found.warnings[0].contains("the seeds 2, on which"), "\(found.warnings)")
    // Runs of the settings that were not chosen stay.
    let path = tiny.sweep.absolute(best[1].folder)
    #expect(try Self.apply([path]).groups.map { $0.runs.count } == [1])
    withExtendedLifetime(tiny) {}
  }

  @Test(
    "a record of a search that cannot be read is refused with its path",
    arguments: [
      ("{\"schema_version\": 2}", "schema_version is 2"), ("{\"schema_version\": 1}", "damaged"),
      ("[", "damaged"), ("", "damaged"),
    ])
  func unreadable(content: String, expected: String) throws {
    let tiny = try TinySweep()
    try SweepStore(path: tiny.sweep.storePath).close()
    try Data(content.utf8).write(to: URL(filePath: tiny.sweep.absolute("tune.json")))
    #expect {
      try SettingsSearch.all(of: [tiny.sweep.path], isChosenOnly: false)
    } throws: {
      "\($0)".contains(expected) && "\($0)".contains("\(tiny.sweep.path)/tune.json")
    }
  }

  @Test("what a search chose, but did not train to its end, is not compared")
  func pausedChoice() throws {
    let tiny = try TinySweep()
    let yaml = TinySweep.settings.replacing("epochs: 2", with: "epochs: 5")
    let points = SweepPoint.all(
      of: try ConfigurationGrid(requested: [ConfigurationLayer(yaml: yaml, label: "run.yaml")]))
    let runs = try tiny.runner(expectedRuns: nil, resumesRuns: true)
      .run(points, pausingAfter: 1)
    try Self.record(of: tiny.sweep, tried: runs, chosen: runs[0], seeds: [1])
    #expect {
      try Self.apply([tiny.sweep.path], chosenOnly: true)
    } throws: { "\($0)".contains("\(tiny.sweep.path)/chosen.yaml") }
  }

  @Test("the seeds of a sweep's points on which a search chose their settings are known")
  func seedsOfPoints() throws {
    let (tiny, chosen) = try Self.searched()
    let searches = try SettingsSearch.all(of: [tiny.sweep.path], isChosenOnly: false)
    let rate = try #require(chosen[0].coordinates.first { $0.name == "learning_rate" }?.value)
    let points = try tiny.points(
      "learning_rate: [\(rate), 1e-4]\nseed: [2, 7]\nhyper_parameters: [learning_rate, seed]")
    let request = RunRequest(data: tiny.data)
    #expect(try searches.seeds(thatChose: points, request: request) == [2])
    let others = points.filter { !$0.coordinates.contains(chosen[0].coordinates[0]) }
    #expect(others.count == 2)
    #expect(try searches.seeds(thatChose: others, request: request).isEmpty)
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
