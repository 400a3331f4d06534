import Configuration
import Experiments
import Runtime
import Testing

/// A search that trains, on a tiny data set.
@Suite struct TuningRunTests {
  private static let settings =
    TinySweep.settings.replacing("epochs: 2", with: "epochs: 12")
    + "objective: mrdib\nalpha1: 0.01\nalpha2: 0\nalpha3: 0.1\nstopping_step: 20\n"

  private func search(
    _ tiny: TinySweep, execution: WatchedExecution = WatchedExecution(),
    signals: any StopSignals = NoSignals()
  ) throws -> TuningResult? {
    let space = try SearchSpace.standard(
      [try ConfigurationLayer(yaml: Self.settings, label: "base.yaml")],
      resolve: RunRequest(data: tiny.data).resolve)
    let runner = try tiny.runner(
      execution, expectedRuns: nil, resumesRuns: true, signals: signals)
    return try Tuning(space: space, seeds: [1, 2, 3], budget: 3.5).run(
      in: Tuning.Environment(
        train: { try runner.run($0, pausingAfter: $1) },
        curve: {
          try ValidationCurve(
            run: tiny.sweep.absolute($0.folder), metric: $0.selectionMetric)
        }, report: { _ in }))
  }

  @Test("a search stopped by signals resumes its runs and chooses as one that was not")
  func realSearch() throws {
    let whole = try TinySweep()
    let watched = WatchedExecution()
    let expected = try #require(try search(whole, execution: watched))
    #expect(expected.cost <= 3.5)
    #expect(expected.defaults.epochsRun == 12 && expected.defaults.isOver)
    #expect(expected.rungs.last?.rows.allSatisfy { $0.mean?.count == 3 } == true)

    let stopped = try TinySweep()
    var result: TuningResult?
    var attempts = 0
    while result == nil, attempts < 10 {
      attempts += 1
      let signal = ManualSignal()
      let execution = WatchedExecution { _, index in
        if index == 4 { signal.raise(2) }
        return nil
      }
      result = try search(stopped, execution: execution, signals: signal)
    }
    #expect(attempts > 2 && attempts < 10)
    #expect(result?.rungs == expected.rungs)
    #expect(result?.choice == expected.choice)
    // Nothing is trained twice: no run has more epochs than in the search that was not stopped.
    #expect(result?.epochsTrained == expected.epochsTrained)

    // Once more: all is there already.
    let again = WatchedExecution()
    #expect(try search(whole, execution: again)?.rungs == expected.rungs)
    #expect(again.runs.isEmpty)
  }

  @Test("a paused run that continues ends with the bits of one that was never paused")
  func pausedRun() throws {
    let tiny = try TinySweep()
    let runner = try tiny.runner(expectedRuns: nil, resumesRuns: true)
    let yaml = TinySweep.settings.replacing("epochs: 2", with: "epochs: 5")
    let points = SweepPoint.all(
      of: try ConfigurationGrid(requested: [ConfigurationLayer(yaml: yaml, label: "run.yaml")]))
    for pause in [1, 3] {
      let paused = try runner.run(points, pausingAfter: pause)
      #expect(paused.map(\.state) == [.paused])
      #expect(paused[0].result?.epochsRun == pause)
      #expect(try SweepStore(path: tiny.sweep.storePath).runs().map(\.state) == [.paused])
    }
    let finished = try runner.run(points)
    let whole = try TinySweep()
    let once = try whole.runner().run(points)
    #expect(finished.map(\.state) == [.finished])
    #expect(finished[0].result?.test == once[0].result?.test)
    #expect(finished[0].result?.valid == once[0].result?.valid)
    #expect(finished[0].result?.epochsRun == 5)
  }
}
