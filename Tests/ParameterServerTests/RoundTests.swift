import ParameterServer
import Protocol
import Tables
import Testing

@Suite("Rounds of a step")
struct RoundTests {
  private static let specs = [
    TableSpec(name: "item", rows: 4, width: 1, initializer: .constant(0)),
    TableSpec(
      name: "f", rows: 1, width: 1, initializer: .constant(0), rule: .optimizer(.discriminator)),
    TableSpec(
      name: "mean", rows: 2, width: 2, initializer: .constant(9), rule: .movingAverage(rate: 0.25)),
  ]

  @Test("versions count rounds, steps and epochs")
  func schedule() {
    let schedule = StepSchedule(stepsPerEpoch: 2, roundsPerStep: 3)
    #expect((0..<8).map { schedule.round(ofVersion: $0) } == [0, 1, 2, 0, 1, 2, 0, 1])
    #expect((0..<8).map { schedule.step(ofVersion: $0) } == [0, 0, 0, 1, 1, 1, 2, 2])
    #expect((0..<8).map { schedule.epoch(ofVersion: $0) } == [0, 0, 0, 0, 0, 0, 1, 1])
    #expect(
      (0..<8).map { schedule.endsStep($0) } == [
        false, false, true, false, false, true, false, false,
      ])
    #expect(
      (0..<8).map { schedule.updateCount(of: .model, beforeVersion: $0) } == [
        0, 0, 0, 1, 1, 1, 2, 2,
      ])
    #expect(
      (0..<8).map { schedule.updateCount(of: .discriminator, beforeVersion: $0) } == Array(0..<8))
  }

  @Test("before the last round only the discriminator and running statistics move")
  func rounds() throws {
    var cluster = try TestCluster(
      Self.specs, schedule: StepSchedule(stepsPerEpoch: 5, roundsPerStep: 2))
    let early = cluster.push([0: [1: [1]]], version: 0)
    let refused = refusal(cluster.send(.push(early)).first?.body)
    #expect(refused?.code == .malformed)
    #expect(
      refused?.message.contains("'item'") == true
        && refused?.message.contains("round 0 of 2") == true)
    cluster.pushEverywhere([1: [0: [1]], 2: [0: [4, 8]]], version: 0)
    #expect(try cluster.pullAll(version: 1) == [[0, 0, 0, 0], [-1], [4, 8, 9, 9]])
    cluster.pushEverywhere([0: [1: [1]], 1: [0: [1]]], version: 1)
    #expect(try cluster.pullAll(version: 2) == [[0, -1, 0, 0], [-2], [4, 8, 9, 9]])
  }

  @Test("each group has its own Adam clock and learning rate")
  func clocks() throws {
    // With a constant gradient every bias-corrected step moves by the rate: a wrong count shows.
    var cluster = try TestCluster(
      Self.specs, kind: Adam(), rate: LearningRate(0.01, decay: 0.5, period: 1),
      discriminatorRate: LearningRate(0.1),
      schedule: StepSchedule(stepsPerEpoch: 2, roundsPerStep: 3))
    for version in 0..<UInt64(12) {
      cluster.pushEverywhere(
        version % 3 == 2 ? [0: [1: [2]], 1: [0: [2]]] : [1: [0: [2]]], version: version)
    }
    let values = try cluster.pullAll(version: 12)
    #expect(abs(values[0][1] + 2 * 0.01 + 2 * 0.005) < 1e-6)  // two epochs of two steps
    #expect(abs(values[1][0] + 12 * 0.1) < 1e-5)
  }

  @Test("a moving average takes its first value whole, then mixes, with shards added up")
  func movingAverage() throws {
    var cluster = try TestCluster(Self.specs, shards: 2)
    cluster.pushEverywhere([2: [0: [1, 10]]], version: 0, shard: 0)
    cluster.pushEverywhere([2: [0: [3, 10]]], version: 0, shard: 1)
    #expect(try cluster.pullAll(version: 1)[2] == [4, 20, 9, 9])
    cluster.pushEverywhere([2: [0: [8, 0], 1: [1, 2]]], version: 1, shard: 0)
    cluster.pushEverywhere([:], version: 1, shard: 1)
    #expect(try cluster.pullAll(version: 2)[2] == [5, 15, 1, 2])
    for shard in 0..<UInt32(2) { cluster.pushEverywhere([:], version: 2, shard: shard) }
    #expect(try cluster.pullAll(version: 3)[2] == [5, 15, 1, 2], "no push, no change")
  }
}
