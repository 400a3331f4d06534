import Simulation
import Testing

@Suite("The time of a step in a simulated cluster") struct StepTimelineTests {
  private static func costs(
    workers: Int = 1, servers: Int = 1, shards: Int = 1, seconds: Double = 0.01,
    serverSeconds: Double = 0, bytes: Double = 0, latency: Double = 0, bandwidth: Double = 1e9,
    machines: Int? = nil
  ) -> ClusterCosts {
    ClusterCosts(
      workers: workers, servers: servers, shardsPerWorker: shards,
      machines: machines ?? workers + servers, workerSeconds: seconds, serverSecondsPerByte: 0,
      serverSecondsPerMessage: serverSeconds,
      pull: .init(requestBytes: 0, replyBytes: bytes),
      push: .init(requestBytes: bytes, replyBytes: 0), latency: latency, bandwidth: bandwidth)
  }

  private func isClose(_ value: Double, _ expected: Double) -> Bool {
    abs(value - expected) < 1e-9
  }

  @Test("one worker and one server: the computation, two round trips and the bytes")
  func one() {
    let timing = StepTimeline.timing(
      Self.costs(serverSeconds: 0.001, bytes: 1e6, latency: 0.02))
    // Each round trip is two latencies, one transfer of a megabyte and one message at the server.
    #expect(isClose(timing.stepSeconds, 0.01 + 4 * 0.02 + 2 * 0.001 + 2 * 0.001))
    #expect(isClose(timing.workerUse, 0.01 / timing.stepSeconds))
    #expect(isClose(timing.serverUse, 0.002 / timing.stepSeconds))
    #expect(timing.limit == .waiting)
  }

  @Test("messages within a machine take no time of the network")
  func sameMachine() {
    let timing = StepTimeline.timing(Self.costs(bytes: 1e9, latency: 1, machines: 1))
    #expect(isClose(timing.stepSeconds, 0.01))
    #expect(timing.limit == .workers && timing.sendingUse == 0)
  }

  @Test("the way out of one server's machine limits how many workers it can feed")
  func bandwidth() {
    // A megabyte for each of 32 workers is 32 ms at 1 GB/s; the last one then computes 10 ms and
    // sends 1 ms, when the others have sent theirs.
    let timing = StepTimeline.timing(Self.costs(workers: 32, bytes: 1e6))
    #expect(isClose(timing.stepSeconds, 0.032 + 0.01 + 0.001))
    #expect(timing.sendingUse > 0.7 && timing.receivingUse > 0.7)
    // Four servers have four ways, and each message a quarter of the bytes.
    let more = StepTimeline.timing(Self.costs(workers: 32, servers: 4, bytes: 0.25e6))
    #expect(more.stepSeconds < 0.5 * timing.stepSeconds, "\(more)")
  }

  @Test("a server that needs a millisecond for a message limits many workers")
  func server() {
    let timing = StepTimeline.timing(Self.costs(workers: 20, serverSeconds: 0.001))
    #expect(isClose(timing.stepSeconds, 0.01 + 0.04) || timing.stepSeconds > 0.04)
    #expect(timing.limit == .servers)
  }

  @Test("sums of all shards are one more barrier")
  func reduction() {
    var costs = Self.costs(workers: 4, servers: 2, shards: 2, latency: 0.001)
    let without = StepTimeline.timing(costs)
    costs.reduction = .init(requestBytes: 0, replyBytes: 0)
    let with = StepTimeline.timing(costs)
    #expect(isClose(with.stepSeconds - without.stepSeconds, 0.002))
  }

  @Test("the same costs have the same times")
  func deterministic() {
    let costs = Self.costs(workers: 7, servers: 3, shards: 2, bytes: 12_345, latency: 1e-4)
    #expect(StepTimeline.timing(costs) == StepTimeline.timing(costs))
  }
}
