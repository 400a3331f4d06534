import CostModel
import Runtime
import Testing

@Suite("Messages of a step") struct TrafficTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let model: String
    let settings: [String]
    /// Messages that a worker sends in a step, without the last pull of an epoch.
    let sent: Double

    var testDescription: String { "\(model) \(settings.joined(separator: " "))" }
  }

  static let cases = [
    Case(
      model: "vbpr", settings: ["objective=plain", "workers=1", "servers=1", "shards=1"],
      sent: 2),
    // Two shards: 2 pulls, 2 norms, 4 pushes.
    Case(
      model: "vbpr", settings: ["objective=plain", "workers=2", "servers=2", "shards=4"],
      sent: 8),
    Case(
      model: "vbpr", settings: ["objective=mrdib", "workers=2", "servers=2", "shards=4"],
      sent: 8),
    // Three rounds, of which only the last has norms.
    Case(
      model: "vbpr",
      settings: [
        "objective=mrdib", "mrdib_form=published", "mi_estimator=dv", "mi_rounds=3", "workers=1",
        "servers=1", "shards=1",
      ], sent: 6),
    Case(
      model: "lightgcn", settings: ["objective=plain", "workers=1", "servers=1", "shards=1"],
      sent: 2),
    // Two shards: 2 pulls, 4 sums of propagated gradients, 4 pushes, norms.
    Case(
      model: "lightgcn", settings: ["objective=plain", "workers=2", "servers=2", "shards=4"],
      sent: 12),
    Case(
      model: "bpr", settings: ["objective=plain", "workers=3", "servers=2", "shards=5"], sent: 8),
  ]

  @Test(
    "are as many, and have as many bytes, as real workers and servers exchange", arguments: cases)
  func counted(_ example: Case) throws {
    let run = try SmallData(example.model, example.settings)
    let calibration = try run.calibration
    // A whole epoch, so that its last step is among them.
    let steps = RunSize(run.setup).stepsPerEpoch
    let measured = try MeasuredStep(run.setup, warmUp: 0, steps: steps, seconds: 1000)
    let predicted = StepTraffic(measured.size, calibration.shape)
    #expect(
      abs(predicted.worker.sent.messages - example.sent) < 0.1,
      "\(predicted.worker.sent.messages) messages")
    #expect(abs(predicted.worker.both.messages / measured.messages - 1) < 0.03)
    #expect(
      abs(predicted.worker.both.bytes / measured.bytes - 1) < 0.02,
      "\(predicted.worker.both.bytes) predicted, \(measured.bytes) counted")
  }

  @Test("an epoch of fewer steps has its last pull sooner, and full batches only")
  func shortEpochs() throws {
    let settings = ["objective=plain", "workers=1", "servers=1", "shards=1"]
    let (all, cut) = (
      try SmallData("bpr", settings), try SmallData("bpr", settings + ["epoch_steps=20"])
    )
    let sizes = (all: RunSize(all.setup), cut: RunSize(cut.setup))
    #expect(sizes.all.stepsPerEpoch > 20 && sizes.cut.stepsPerEpoch == 20)
    for (run, size) in [(all, sizes.all), (cut, sizes.cut)] {
      let messages = StepTraffic(size, try run.calibration.shape).worker.both.messages
      #expect(abs(messages - (4 + 2 / Double(size.stepsPerEpoch))) < 1e-9, "\(messages)")
    }
    #expect(sizes.cut.rows(share: 1).batch.users > sizes.all.rows(share: 1).batch.users)
  }

  @Test("of all servers together are those of all workers together")
  func ends() throws {
    let run = try SmallData("vbpr", ["objective=plain", "workers=3", "servers=2", "shards=6"])
    let traffic = StepTraffic(RunSize(run.setup), try run.calibration.shape)
    #expect(abs(traffic.servers.received.bytes / (3 * traffic.worker.sent.bytes) - 1) < 1e-9)
    #expect(abs(traffic.servers.sent.bytes / (3 * traffic.worker.received.bytes) - 1) < 1e-9)
    #expect(traffic.server.both.bytes < 0.7 * traffic.servers.both.bytes)
  }

  @Test("a step of a row model costs the same on any number of users, once batches have no repeats")
  func flat() throws {
    let run = try SmallData("vbpr", ["objective=plain", "workers=1", "servers=1", "shards=1"])
    let shape = try run.calibration.shape
    func bytes(_ users: Int) throws -> Double {
      let request = RunRequest(
        data: nil,
        assignments: ["model=vbpr", "objective=plain", "workers=1", "servers=1", "shards=1"])
      let estimate = try RunEstimate(
        request,
        sizes: RunEstimate.Sizes(
          users: users, items: users / 10, interactions: 10 * users,
          modalities: SmallData.modalities, popularity: .zipf(exponent: 1)), effort: .brief)
      return StepTraffic(estimate.size, shape).worker.both.bytes
    }
    let (small, large) = (try bytes(100_000), try bytes(100_000_000))
    #expect(large < 1.25 * small && large > small, "\(small) \(large)")
  }
}
