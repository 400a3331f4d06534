import Configuration
import Experiments
import Recommenders
import Runtime
import Testing

/// The search as logic, with made-up curves; then a real one.
@Suite struct TuningTests {
  private static let layers =
    "model: vbpr\nobjective: mrdib\nalpha1: 0.1\nalpha2: 0\nalpha3: 0.2\n"

  private func space(_ yaml: String = layers) throws -> SearchSpace {
    try SearchSpace.standard(
      [try ConfigurationLayer(yaml: yaml, label: "base.yaml")],
      resolve: RunRequest(data: nil).resolve)
  }

  /// A world in which every run rises towards its value, half of it after 3 epochs; counts what is
  /// trained.
  private final class MadeUpRuns {
    let epochs: Int
    let value: (_ name: String, _ seed: Int) -> Double
    var trained: [String: Int] = [:]
    var calls: [(names: [String], pause: Int?)] = []
    var failing: Set<String> = []
    /// How many runs are trained before a signal; nil: none comes.
    var stopsAfter: Int?

    init(epochs: Int = 100, value: @escaping (_ name: String, _ seed: Int) -> Double) {
      self.epochs = epochs
      self.value = value
    }

    var epochsTrained: Int { trained.values.reduce(0, +) }

    var environment: Tuning.Environment {
      Tuning.Environment(train: train, curve: { self.curve($0.name) }, report: { _ in })
    }

    private func train(_ points: [SweepPoint], _ pause: Int?) -> [SweepRun] {
      calls.append((points.map(\.name), pause))
      return points.map { point in
        let name = point.name
        var run = MadeUp.run(alpha: name, seed: 0, valid: 0, test: 0)
        run.coordinates = point.coordinates
        if failing.contains(where: name.contains) {
          run.state = .failed
          run.message = "loss is nan"
          return run
        }
        if let left = stopsAfter {
          guard left > 0 else {
            run.state = .waiting
            return run
          }
          if trained[name, default: 0] < pause ?? epochs { stopsAfter = left - 1 }
        }
        trained[name] = max(trained[name, default: 0], min(pause ?? epochs, epochs))
        run.state = trained[name] == epochs ? .finished : .paused
        return run
      }
    }

    private func curve(_ name: String) -> ValidationCurve {
      let count = trained[name] ?? 0
      let seed = name.split(separator: "seed=").last.flatMap { Int($0) } ?? 0
      return ValidationCurve(
        points: (0..<count).map {
          .init(epochs: $0 + 1, value: value(name, seed) * Double($0 + 1) / Double($0 + 4))
        },
        epochsRun: count, isOver: count == epochs)
    }
  }

  @Test("the standard space is the defaults, then one change at a time, without repetitions")
  func standardSpace() throws {
    let space = try space()
    let labels = space.candidates.indices.map(space.label)
    #expect(labels[0] == "defaults")
    #expect(labels.contains("alpha1=0") && labels.contains("alpha1=0.5"))
    #expect(labels.contains("alpha3=0") && labels.contains("alpha3=0.5"))
    // α₂ is 0 already.
    #expect(labels.contains("alpha2=0.05") && !labels.contains("alpha2=0"))
    #expect(Set(labels).count == labels.count)
    let plain = try self.space(
      "model: vbpr\nobjective: plain\nlearning_rate: 0.001\nreg_weight: 0.1\n")
    #expect(
      plain.candidates.indices.map(plain.label) == [
        "defaults", "learning_rate=0.0005", "learning_rate=0.002", "reg_weight=0.01",
        "reg_weight=1",
      ])
  }

  @Test(
    "a grid's points are candidates next to the defaults, each model once; its seeds do not count")
  func gridSpace() throws {
    let base = try ConfigurationLayer(yaml: Self.layers, label: "base.yaml")
    let grid = try ConfigurationGrid(requested: [
      base,
      ConfigurationLayer(
        yaml: "alpha1: [0.1, 0.3]\nalpha3: [0.2, 0.4]\nseed: [1, 2]\n"
          + "hyper_parameters: [alpha1, alpha3, seed]",
        label: "space.yaml"),
    ])
    let space = try SearchSpace(grid, defaults: [base], resolve: RunRequest(data: nil).resolve)
    // One of the grid's points is the defaults.
    #expect(
      space.candidates.indices.map(space.label) == [
        "defaults", "alpha3=0.4", "alpha1=0.3", "alpha1=0.3 alpha3=0.4",
      ])
    #expect(space.candidates[0].coordinates.map(\.value) == ["0.1", "0.2"])
  }

  @Test("the search trains what the schedule says, continues runs, and stays within the budget")
  func wholeSearch() throws {
    let space = try space()
    let runs = MadeUpRuns { name, seed in
      0.4 + (name.contains("alpha1=0.5") ? 0.1 : 0) + Double(seed % 3) * 0.001
    }
    let tuning = try Tuning(space: space, seeds: [101, 102, 103], budget: 3)
    let result = try #require(try tuning.run(in: runs.environment))
    #expect(runs.epochsTrained <= 300)
    #expect(result.epochsTrained == runs.epochsTrained)
    #expect(result.cost <= 3)
    #expect(runs.epochsTrained == 100 + result.schedule.cost)
    // The defaults to their end, then rungs of which the last has all seeds.
    #expect(runs.calls[0].pause == nil && runs.calls[0].names.count == 1)
    #expect(result.rungs.map(\.seeds) == [[101], [101], [101, 102, 103]])
    #expect(result.rungs.map { $0.rows.count - 1 } == result.schedule.rungs.map(\.challengers))
    #expect(space.label(result.choice.candidate) == "alpha1=0.5")
    #expect(result.choice.mean?.count == 3)
    let report = TuningReport(result)
    #expect(report.searchSeeds == [101, 102, 103])
    #expect(report.lines.contains { $0.hasPrefix("chosen: alpha1=0.5  valid recall@20 0.") })
    #expect(report.lines.contains { $0.hasPrefix("cost: 2.") || $0.hasPrefix("cost: 3.00") })
    #expect(report.csv.split(separator: "\n").count == 1 + report.rungs.flatMap(\.rows).count)
  }

  @Test("a search that is stopped anywhere and asked for again chooses the same at the same cost")
  func resumes() throws {
    let space = try space()
    let tuning = try Tuning(space: space, seeds: [1, 2, 3], budget: 3)
    let value = { (name: String, seed: Int) in
      0.4 + (name.contains("alpha3=0.5") ? 0.05 : 0) + Double(seed) * 0.001
    }
    let whole = MadeUpRuns(value: value)
    let expected = try #require(try tuning.run(in: whole.environment))
    for stop in 0..<12 {
      let runs = MadeUpRuns(value: value)
      runs.stopsAfter = stop
      _ = try tuning.run(in: runs.environment)
      runs.stopsAfter = nil
      let resumed = try #require(try tuning.run(in: runs.environment))
      #expect(resumed.rungs == expected.rungs)
      #expect(resumed.choice == expected.choice)
      #expect(runs.trained == whole.trained, "stopped after \(stop) runs")
    }
  }

  @Test("a challenger wins only by more than one standard error; ties go to the defaults")
  func oneStandardError() {
    func choice(_ defaults: [Double?], _ others: [[Double?]]) -> Int {
      TuningResult.Choice(
        ([defaults] + others).enumerated().map { .init(candidate: $0.offset, scores: $0.element) }
      ).candidate
    }
    // Differences .01, .02, .03: mean .02, standard error .0058.
    #expect(choice([0.40, 0.40, 0.40], [[0.41, 0.42, 0.43]]) == 1)
    // Differences −.02, .05, .00: mean .01, standard error .021.
    #expect(choice([0.40, 0.40, 0.40], [[0.38, 0.45, 0.40]]) == 0)
    // Equal in every seed: no difference is more than no error.
    #expect(choice([0.40, 0.41, 0.42], [[0.40, 0.41, 0.42]]) == 0)
    // Paired: seeds differ by more than the settings do, in the same way.
    #expect(choice([0.30, 0.40, 0.50], [[0.31, 0.41, 0.512]]) == 1)
    // Of two, the one with the higher mean is compared.
    #expect(choice([0.40, 0.40, 0.40], [[0.41, 0.42, 0.43], [0.45, 0.46, 0.45]]) == 2)
    // One that failed with a seed is no candidate.
    #expect(choice([0.40, 0.40, 0.40], [[0.5, nil, 0.5]]) == 0)
    // One value has no standard error.
    #expect(choice([0.40], [[0.5]]) == 0)
  }

  @Test("a challenger that fails is left out and named; defaults that fail end the search")
  func failures() throws {
    let space = try space()
    let tuning = try Tuning(space: space, seeds: [1, 2, 3], budget: 3)
    let runs = MadeUpRuns { name, _ in name.contains("alpha1=0.5") ? 0.9 : 0.4 }
    runs.failing = ["alpha1=0.5"]
    let result = try #require(try tuning.run(in: runs.environment))
    #expect(result.choice.candidate == 0)
    #expect(result.failures.map(\.message) == ["loss is nan"])
    #expect(TuningReport(result).lines.last?.contains("alpha1=0.5 seed=1: loss is nan") == true)
    let none = MadeUpRuns { _, _ in 0.4 }
    none.failing = ["alpha"]
    #expect {
      try tuning.run(in: none.environment)
    } throws: { "\($0)".contains("the run of the defaults with seed 1 failed: loss is nan") }
  }

  @Test("a space in which nothing has an effect is refused")
  func nothingToSearch() throws {
    let grid = try ConfigurationGrid(requested: [
      ConfigurationLayer(
        yaml: "model: bpr\nalpha1: [0.1, 0.2]\nhyper_parameters: [alpha1]", label: "space.yaml")
    ])
    let space = try SearchSpace(
      grid, defaults: grid.layers, resolve: RunRequest(data: nil).resolve)
    #expect(space.candidates.count == 1)
    #expect {
      try Tuning(space: space, seeds: [1, 2, 3], budget: 3)
    } throws: { "\($0)".contains("--space") }
  }
}
