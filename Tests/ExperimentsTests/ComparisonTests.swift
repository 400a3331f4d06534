import Experiments
import Foundation
import Recommenders
import Runtime
import TestSupport
import Testing

@Suite struct ComparisonTests {
  /// Users 0 ..< values.count with a recall each, on both splits.
  private static func users(_ recall: [Double], from first: Int = 0) -> PerUserMetrics {
    var valid = UserMetrics(split: "valid", names: ["recall@20", "ndcg@20"])
    var test = UserMetrics(split: "test", names: ["recall@20", "ndcg@20"])
    for (index, value) in recall.enumerated() {
      valid.append(user: first + index, [value / 2, 0.5])
      test.append(user: first + index, [value, 0.5])
    }
    return PerUserMetrics(valid: valid, test: test)
  }

  private static let recall: [String: [Double]] = [
    "plain-1": [0.5, 0.25, 0, 0.5], "plain-2": [0.5, 0.25, 0.5, 0.5],
    "full-1": [1, 0.25, 0.5, 0.5], "full-2": [0.5, 0.75, 0.5, 1],
    "other-7": [0.5, 0.5, 0.5, 1],
  ]

  private static func group(_ label: String, _ seeds: [Int]) -> ComparedGroup {
    ComparedGroup(
      label: label,
      runs: seeds.map { seed in
        let path = "\(label)-\(seed)"
        let mean = (recall[path] ?? []).reduce(0, +) / 4
        return ComparedRun(
          path: path, seed: seed,
          result: RunResult(
            model: "vbpr", dataset: "d", bestEpoch: 1, epochsRun: 2, parameterCount: 3,
            valid: ["recall@20": mean / 2, "ndcg@20": 0.5],
            test: ["recall@20": mean, "ndcg@20": 0.5], seconds: [:]))
      })
  }

  private static func report(
    _ groups: [ComparedGroup], metrics: [String] = ["recall@20"], split: Split = .test
  ) throws -> ComparisonReport {
    try ComparisonReport(groups, metrics: metrics, split: split) {
      users(recall[$0.path] ?? [])
    }
  }

  @Test("users are paired with the mean over the seeds that both have")
  func paired() throws {
    let report = try Self.report([Self.group("plain", [1, 2]), Self.group("full", [1, 2])])
    let difference = try #require(report.rows[1].differences["recall@20"])
    // Per user: 0.75 − 0.5, 0.5 − 0.25, 0.5 − 0.25, 0.75 − 0.5.
    let expected = [0.25, 0.25, 0.25, 0.25]
    #expect(difference.pairedSeeds == [1, 2])
    #expect(difference.userCount == 4)
    #expect(difference.relativeGain == 1 / 1.5)
    #expect(difference.gain == 0.25)
    // Some resamples draw only the baseline's user and seed without a hit.
    #expect(difference.relativeGainInterval == nil)
    #expect(difference.gainInterval.map { $0.lower < 0.25 && $0.upper > 0.25 } == true)
    #expect(difference.tTestPValue == 0)
    #expect(
      difference.wilcoxonPValue == WilcoxonSignedRank(differences: expected).pValue)
    #expect(report.rows[0].differences.isEmpty)
    #expect(report.rows[1].values["recall@20"]?.mean == 0.625)
  }

  @Test("with one seed in common only that one is paired; with none all are averaged")
  func otherSeeds() throws {
    let report = try Self.report([
      Self.group("plain", [1, 2]), Self.group("full", [2]), Self.group("other", [7]),
    ])
    let one = try #require(report.rows[1].differences["recall@20"])
    #expect(one.pairedSeeds == [2])
    #expect(one.tTestPValue == PairedTTest(differences: [0, 0.5, 0, 0.5])?.pValue)
    let none = try #require(report.rows[2].differences["recall@20"])
    #expect(none.pairedSeeds.isEmpty)
    #expect(none.tTestPValue == PairedTTest(differences: [0, 0.25, 0.25, 0.5])?.pValue)
    #expect(report.lines.contains("not all configurations share seeds"))
  }

  @Test("a metric of all users together is compared by seed and not tested, nor are users read")
  func exposure() throws {
    func group(_ label: String, _ coverage: [Int: Double]) -> ComparedGroup {
      ComparedGroup(
        label: label,
        runs: coverage.sorted { $0.key < $1.key }.map { seed, value in
          ComparedRun(
            path: label, seed: seed,
            result: RunResult(
              model: "vbpr", dataset: "d", bestEpoch: 1, epochsRun: 2, parameterCount: 3,
              valid: [:], test: ["coverage@20": value], seconds: [:]))
        })
    }
    struct Unread: Error {}
    let report = try ComparisonReport(
      [
        group("plain", [1: 0.2, 2: 0.4]), group("full", [2: 0.5, 3: 0.9]),
        group("other", [7: 0.6]),
      ],
      metrics: ["coverage@20"], split: .test
    ) { _ in throw Unread() }
    let paired = try #require(report.rows[1].differences["coverage@20"])
    #expect(paired.pairedSeeds == [2])
    #expect(paired.relativeGain.map { abs($0 - 0.25) < 1e-12 } == true)
    #expect(paired.relativeGainInterval == nil && paired.tTestHolmPValue == nil)
    #expect(report.testCount == 0)
    #expect(paired.tTestPValue == nil && paired.wilcoxonPValue == nil && paired.userCount == 0)
    let other = try #require(report.rows[2].differences["coverage@20"])
    #expect(other.pairedSeeds.isEmpty)
    #expect(other.relativeGain.map { abs($0 - 1) < 1e-12 } == true)
    #expect(report.lines[1].contains("baseline"))
    #expect(report.lines[2].contains("+25.00 %"))
  }

  @Test("validation can be compared as well")
  func validation() throws {
    let report = try Self.report(
      [Self.group("plain", [1]), Self.group("full", [1])], split: .valid)
    #expect(report.rows[1].values["recall@20"]?.mean == 0.28125)
  }

  @Test("the text tables, one per metric")
  func text() throws {
    let report = try Self.report(
      [
        Self.group("plain", [1, 2]), Self.group("full", [2]),
        ComparedGroup(label: "nothing", runs: []),
      ], metrics: ["recall@20", "NDCG@20"])
    #expect(
      report.lines.joined(separator: "\n") == """
        test recall@20  seeds       mean ± std    change      95 % interval  p t-test  p Wilcoxon
        plain               2  0.3750 ± 0.0884  baseline
        full                1           0.6875  +57.14 %  +0.00 … +133.33 %    0.3634      0.3146
        nothing             0                –         –

        test ndcg@20  seeds       mean ± std    change    95 % interval  p t-test  p Wilcoxon
        plain             2  0.5000 ± 0.0000  baseline
        full              1           0.5000   +0.00 %  +0.00 … +0.00 %    1.0000      1.0000
        nothing           0                –         –

        95 % interval: of the change, from 2000 resamples of users and seeds together
        p: two-sided, paired over 4 users, each with the mean over the seeds in common;
           corrected by Holm's method over the 2 differences above
        with one seed an interval says nothing of how results vary with the seed
        """)
  }

  @Test("the table as CSV")
  func csv() throws {
    let report = try Self.report([Self.group("plain", [1, 2]), Self.group("full", [2])])
    #expect(
      report.csv.hasPrefix(
        """
        configuration,split,metric,seeds,mean,std,relative_gain,p_t_test,p_wilcoxon,users,\
        group,gain,gain_lower,gain_upper,relative_gain_lower,relative_gain_upper,p_t_test_holm,\
        p_wilcoxon_holm,tests,search_seeds
        plain,test,recall@20,1 2,0.375,0.08838834764831845,,,,,all,,,,,,,,,
        full,test,recall@20,2,0.6875,,0.5714285714285714,0.18169
        """))
  }

  @Test("p-values are corrected over all rows and metrics of the tables, whose number is named")
  func holm() throws {
    let report = try Self.report(
      [Self.group("plain", [1, 2]), Self.group("full", [1, 2]), Self.group("other", [7])],
      metrics: ["recall@20", "ndcg@20"])
    let differences = report.rows.dropFirst().flatMap(\.differences.values)
    #expect(report.testCount == 4 && differences.count == 4)
    let corrected = HolmCorrection.corrected(differences.compactMap(\.wilcoxonPValue))
    #expect(differences.compactMap(\.wilcoxonHolmPValue) == corrected)
    #expect(report.lines.contains { $0.contains("over the 4 differences above") })
  }

  @Test("a table that would be too wide has numbers for its labels, and a legend")
  func wide() throws {
    var groups = [Self.group("plain", [1, 2]), Self.group("full", [1, 2])]
    groups[1].label = "vbpr objective=mrdib alpha1=0.05 alpha3=0.2 learning_rate=0.0005"
    let lines = try Self.report(groups).lines
    #expect(lines[1] == "(2)  \(groups[1].label)")
    #expect(lines.allSatisfy { $0.count <= 100 }, "\(lines)")
    #expect(lines[4].hasPrefix("(1) ") && lines[5].hasPrefix("(2) "))
  }

  @Test("configurations that were measured on different users are not compared")
  func differentUsers() {
    #expect {
      try ComparisonReport(
        [Self.group("plain", [1]), Self.group("full", [1])], metrics: [], split: .test
      ) { Self.users([0.5, 0.5], from: $0.path == "plain-1" ? 0 : 1) }
    } throws: { "\($0)".contains("'full' with 'plain'") && "\($0)".contains("different users") }
  }

  @Test("a baseline without finished runs is refused")
  func emptyBaseline() {
    #expect {
      try Self.report([ComparedGroup(label: "full", runs: []), Self.group("plain", [1])])
    } throws: { "\($0)".contains("'full'") && "\($0)".contains("finished") }
  }

  @Test("trained runs are compared by folder: labels name what differs, seeds are grouped")
  func folders() throws {
    let tiny = try TinySweep()
    let runs = try tiny.runner().run(
      tiny.points(
        """
        objective: [plain, mrdib]
        alpha1: 0.01
        seed: [1, 2]
        hyper_parameters: [objective, seed]
        """))
    let single = "\(tiny.sweep.path)/\(runs[3].folder)"
    let groups = try ComparedGroup.groups(in: [single, tiny.sweep.path], chosenOnly: false)
    #expect(groups.map(\.label) == ["vbpr objective=mrdib", "vbpr objective=plain"])
    #expect(groups.map { $0.runs.map(\.seed) } == [[2, 1], [1, 2]])
    let report = try ComparisonReport(groups, metrics: [], split: .test) {
      try PerUserMetrics.load(run: $0.path)
    }
    #expect(report.rows[1].differences["ndcg@20"]?.pairedSeeds == [1, 2])
    let chosen = try ComparedGroup.groups(in: [tiny.sweep.path], chosenOnly: true)
    #expect(chosen.count == 1)
    #expect(
      chosen[0].runs.map(\.result)
        == runs.filter { run in
          chosen[0].runs.contains { $0.path.hasSuffix(run.folder) }
        }.compactMap(\.result))
  }

  @Test("configurations that differ in nothing that a label names have their folders in it")
  func sameLabels() throws {
    let tiny = try TinySweep()
    let run = try #require(
      try tiny.runner().run(tiny.points("seed: [1]\nhyper_parameters: [seed]")).first)
    let path = "\(tiny.sweep.path)/\(run.folder)"
    let copy = tiny.folder.path("copy")
    try FileManager.default.copyItem(atPath: path, toPath: copy)
    let configuration = RunDirectory(existing: copy)
    let text = try configuration.configurationText().replacing(
      /xxh128:[0-9a-f]{32}/, with: "xxh128:\(String(repeating: "0", count: 32))")
    try configuration.writeConfiguration(text)
    let groups = try ComparedGroup.groups(in: [path, copy], chosenOnly: false)
    #expect(groups.map(\.label) == ["vbpr (\(path))", "vbpr (\(copy))"])
  }

  @Test("in an unfinished sweep, settings that lack a seed are not chosen")
  func chosenOfUnfinished() throws {
    let tiny = try TinySweep()
    let signal = ManualSignal()
    let execution = WatchedExecution { _, index in
      if index == 2 { signal.raise(15) }
      return nil
    }
    // The last settings have one seed of two, and would need the other to be chosen.
    let runs = try tiny.runner(execution, signals: signal).run(
      tiny.points(
        """
        learning_rate: [1e-6, 1e-2]
        seed: [1, 2]
        hyper_parameters: [learning_rate, seed]
        """))
    #expect(runs.map(\.state) == [.finished, .finished, .interrupted, .waiting])
    var finished = runs[2]
    finished.state = .finished
    finished.result = MadeUp.run(alpha: "", seed: 1, valid: 1, test: 1).result
    try SweepStore(path: tiny.sweep.storePath).record(finished)
    let chosen = try ComparedGroup.groups(in: [tiny.sweep.path], chosenOnly: true)
    #expect(chosen.map { $0.runs.map(\.result) } == [runs[..<2].map(\.result)])
  }

  @Test("a folder that holds neither a run nor a sweep is refused with its path")
  func noRun() throws {
    let folder = try TemporaryFolder()
    #expect {
      try ComparedGroup.groups(in: [folder.path], chosenOnly: false)
    } throws: { "\($0)".contains(folder.path) }
  }
}
