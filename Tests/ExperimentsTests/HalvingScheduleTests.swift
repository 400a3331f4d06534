import Experiments
import Runtime
import Testing

/// Which settings are trained for how long.
@Suite struct HalvingScheduleTests {
  /// A curve that rises to its end, more and more slowly.
  private func curve(_ epochs: Int) -> ValidationCurve {
    ValidationCurve(
      points: (1...epochs).map {
        .init(epochs: $0, value: Double($0) / (Double($0) + 0.03 * Double(epochs)))
      },
      epochsRun: epochs, isOver: true)
  }

  private func schedule(
    _ challengers: Int, epochs: Int = 140, budget: Double = 3, seeds: Int = 3, interval: Int = 1
  ) throws -> HalvingSchedule {
    try HalvingSchedule(
      challengers: challengers, seeds: seeds, defaults: curve(epochs), budget: budget,
      interval: interval)
  }

  @Test("nine challengers fit into three runs: 9, 3 and 1, each rung longer")
  func standard() throws {
    let rungs = try schedule(9).rungs
    #expect(rungs.map(\.challengers) == [9, 3, 1])
    #expect(rungs.map(\.seeds) == [1, 1, 3])
    // 9 · 14 + 3 · 7 + 1 · 7 + 2 · 2 · 28 = 266 of the 280 epochs that are left.
    #expect(rungs.map(\.epochs) == [14, 21, 28])
    #expect(try schedule(9).cost == 266)
  }

  @Test("the cost never exceeds the budget, whatever it is")
  func bound() throws {
    for epochs in [7, 30, 140, 333, 1000] {
      for challengers in [1, 2, 5, 9, 40, 243] {
        for budget in [2.5, 3, 4.5, 10, 60] {
          for interval in [1, 3] {
            guard
              let found = try? schedule(
                challengers, epochs: epochs, budget: budget, interval: interval)
            else {
              #expect(epochs == 7, "\(challengers) challengers, budget \(budget)")
              continue
            }
            #expect(Double(found.cost) <= (budget - 1) * Double(epochs))
            #expect(found.rungs.allSatisfy { $0.epochs % interval == 0 && $0.epochs > 0 })
            #expect(found.rungs[0].epochs <= found.rungs[1].epochs)
            #expect(found.rungs[1].epochs <= found.rungs[2].epochs)
            #expect(found.rungs[0].challengers >= found.rungs[1].challengers)
            #expect(found.rungs[2].challengers >= 1)
          }
        }
      }
    }
  }

  @Test("a larger budget first tries more settings, then compares longer, up to whole runs")
  func larger() throws {
    let small = try schedule(40)
    #expect(small.rungs[0].challengers < 40 && small.rungs[0].epochs >= 14)
    let middle = try schedule(40, budget: 10)
    #expect(middle.rungs[0].challengers == 40 && middle.rungs[0].epochs >= 14)
    let large = try schedule(40, budget: 60)
    #expect(large.rungs[0].epochs == 140 && large.rungs[2].epochs == 140)
    #expect(large.rungs[2].challengers == 2)
  }

  @Test("a valley of the defaults' curve lengthens the first rung and leaves fewer settings")
  func plateau() throws {
    // An early peak of 110, and 95 at epoch 20.
    var values = [Double](repeating: 100, count: 100)
    values[1] = 110
    values[19] = 95
    for epoch in 20..<100 { values[epoch] = 101 + Double(epoch) }
    let curve = ValidationCurve(
      points: values.enumerated().map { .init(epochs: $0.offset + 1, value: $0.element) },
      epochsRun: 100, isOver: true)
    #expect(curve.epochsToSettle == 21)
    // Half of the highest value is passed after 50 epochs.
    let slow = ValidationCurve(
      points: (1...100).map { .init(epochs: $0, value: Double($0)) }, epochsRun: 100, isOver: true)
    #expect(slow.epochsToSettle == 50)
    let found = try HalvingSchedule(
      challengers: 9, seeds: 3, defaults: curve, budget: 3, interval: 1)
    #expect(found.epochsNeeded == 21)
    #expect(found.rungs[0].challengers == 3 && found.isTooShort)
    let larger = try HalvingSchedule(
      challengers: 9, seeds: 3, defaults: curve, budget: 4, interval: 1)
    #expect(!larger.isTooShort && larger.rungs[0].epochs >= 21)
    #expect((3..<9).contains(larger.rungs[0].challengers))
    let smaller = try HalvingSchedule(
      challengers: 9, seeds: 3, defaults: curve, budget: 2.2, interval: 1)
    #expect(smaller.isTooShort && smaller.rungs[0].challengers >= 1)
  }

  @Test("a budget that does not suffice for one other setting is refused with one that does")
  func tooSmall() throws {
    let error = #expect(throws: ExperimentError.self) { try schedule(9, epochs: 10, budget: 1.3) }
    #expect(error?.exitCode == .usage)
    #expect(error?.description.contains("--budget") == true)
    let named = try #require(
      error?.description.split(separator: " ").last.flatMap { Double($0.dropLast()) })
    _ = try schedule(9, epochs: 10, budget: named)
  }

  @Test("a part of a list is spread over it: no axis of a grid keeps one value")
  func spread() {
    for (total, stride) in [(27, 3), (81, 9), (243, 3)] {
      let taken = HalvingSchedule.spread(total / 9 + 3, of: total)
      #expect(taken == taken.sorted() && Set(taken).count == total / 9 + 3)
      #expect(taken.allSatisfy { (0..<total).contains($0) })
      #expect(Set(taken.map { $0 % stride }).count > 1)
      #expect(Set(taken.map { $0 / (total / 3) }).count == 3)
    }
    #expect(HalvingSchedule.spread(5, of: 5) == [0, 1, 2, 3, 4])
  }

  @Test("a score is the highest value of the second half; of a run that ended before, of all")
  func score() {
    let values = [0.5, 0.1, 0.2, 0.3, 0.25, 0.4]
    func curve(isOver: Bool) -> ValidationCurve {
      ValidationCurve(
        points: values.enumerated().map { .init(epochs: $0.offset + 1, value: $0.element) },
        epochsRun: 6, isOver: isOver)
    }
    #expect(curve(isOver: false).score(within: 4) == 0.3)
    #expect(curve(isOver: false).score(within: 6) == 0.4)
    #expect(curve(isOver: true).score(within: 4) == 0.3)
    #expect(curve(isOver: true).score(within: 8) == 0.5)
    #expect(curve(isOver: false).score(within: 1) == 0.5)
    let broken = ValidationCurve(
      points: [.init(epochs: 1, value: .nan)], epochsRun: 1, isOver: false)
    #expect(broken.score(within: 1) == nil)
  }
}
