import Configuration
import Experiments
import Testing

@Suite struct CoordinateSearchTests {
  private func search(
    _ order: [String],
    _ yaml: String = """
    alpha1: [0.1, 0.2]
    alpha2: [0.3, 0.4]
    alpha3: [0.5, 0.6]
    seed: [1, 2]
    hyper_parameters: [alpha1, alpha2, alpha3, seed]
    """
  ) throws -> CoordinateSearch {
    try CoordinateSearch(
      grid: ConfigurationGrid(requested: [ConfigurationLayer(yaml: yaml, label: "grid.yaml")]),
      order: order)
  }

  /// Runs whose validation value is a function of their coordinates.
  private func run(
    _ points: [SweepPoint], value: ([String: String]) -> Double
  ) -> [SweepRun] {
    points.map { point in
      let place = Dictionary(
        uniqueKeysWithValues: point.coordinates.map { ($0.name, $0.value) })
      var run = MadeUp.run(
        alpha: point.name, seed: Int(place["seed"] ?? "") ?? 0, valid: value(place), test: 0)
      run.coordinates = point.coordinates
      return run
    }
  }

  @Test("one setting after another is tried, terms before their turn are off, the best is kept")
  func turns() throws {
    let search = try search(["alpha1", "alpha3", "alpha2"])
    #expect(search.runCount == 12)
    var turns: [[String]] = []
    let runs = try search.run { points in
      turns.append(points.map(\.name))
      return run(points) { place in
        (place["alpha1"] == "0.2" ? 1 : 0) + (place["alpha3"] == "0.5" ? 2 : 0)
          + (place["alpha2"] == "0" ? 4 : 0) + (place["seed"] == "1" ? 0.1 : 0)
      }
    }
    #expect(
      turns[0] == [
        "alpha1=0.1 alpha3=0 alpha2=0 seed=1", "alpha1=0.1 alpha3=0 alpha2=0 seed=2",
        "alpha1=0.2 alpha3=0 alpha2=0 seed=1", "alpha1=0.2 alpha3=0 alpha2=0 seed=2",
      ])
    #expect(turns[1].first == "alpha1=0.2 alpha3=0.5 alpha2=0 seed=1")
    #expect(turns[2].last == "alpha1=0.2 alpha3=0.5 alpha2=0.4 seed=2")
    #expect(runs.count == 12)
    // Every α₂ of the grid hurts: the term stays off.
    let best = try SweepReport(runs).chosenByValidation
    #expect(best?.coordinates.map(\.value) == ["0.2", "0.5", "0"])
  }

  @Test("a term that hurts at its turn stays off in the turns after it")
  func staysOff() throws {
    var last: [SweepPoint] = []
    _ = try search(["alpha1", "alpha3", "alpha2"]).run { points in
      last = points
      return run(points) { $0["alpha3"] == "0" ? 1 : 0 }
    }
    #expect(last.first?.name == "alpha1=0.1 alpha3=0 alpha2=0.3 seed=1")
  }

  @Test("a setting that is not a term's weight has its first value before its turn")
  func otherSettings() throws {
    let search = try search(
      ["alpha1", "lr"].map { $0 == "lr" ? "learning_rate" : $0 },
      "alpha1: [0.1]\nlr: [0.01, 0.001]\nhyper_parameters: [alpha1, lr]")
    let first = try search.points(turn: 0, chosen: search.start())
    #expect(first.map(\.name) == ["alpha1=0.1 learning_rate=0.01"])
  }

  @Test("an unfinished turn stops the search")
  func interrupted() throws {
    var count = 0
    let runs = try search(["alpha1", "alpha3", "alpha2"]).run { points in
      count += 1
      var runs = run(points) { _ in 1 }
      runs[3].state = .waiting
      return runs
    }
    #expect(count == 1)
    #expect(runs.count == 4)
  }

  @Test(
    "an order that does not fit the grid is refused with the grid's settings",
    arguments: [
      (["alpha1", "alpha2"], "also lists alpha3"),
      (["alpha1", "alpha2", "alpha3", "beta"], "gives values to alpha1, alpha2, alpha3"),
      (["alpha1", "alpha2", "alpha3", "seed"], "Cannot search 'seed'"),
      (["alpha1", "alpha1"], "'alpha1' twice"),
    ])
  func errors(order: [String], expected: String) {
    #expect { try search(order) } throws: { "\($0)".contains(expected) }
  }
}
