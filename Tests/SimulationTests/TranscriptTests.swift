import Foundation
import ParameterServer
import Simulation
import Testing

/// Recoveries, written out message by message. The stored transcripts are for readers; a change of
/// the protocol shows as a difference that is to be reviewed.
///
/// `MRDIB_WRITE_TRANSCRIPTS=1 swift test --filter TranscriptTests` rewrites them.
@Suite struct TranscriptTests {
  struct Scenario: Sendable, CustomTestStringConvertible {
    let name: String
    /// In plain words.
    let text: [String]
    let shape: ClusterShape
    /// The fault happens as soon as server 0 has reached this version.
    let version: UInt64
    let fault: Fault
    /// Whether the history continues to the end of the run.
    var isComplete = true

    var testDescription: String { name }
  }

  static let scenarios = [
    Scenario(
      name: "worker-lost",
      text: [
        "A worker is lost.",
        "Two workers train three shards against one server. The process worker-1, which came first",
        "and so has rank 0, is killed in the first epoch. The step waits. When the hello of",
        "its replacement arrives, the coordinator knows that rank 0 is lost, and gives all shards to",
        "the other worker. What the dead worker had pushed counts once, and there is no rollback. The",
        "replacement gets the rank, sets itself up, and has shards again in the next epoch.",
      ],
      shape: ClusterShape(workers: 2, servers: 1), version: 2, fault: .kill(.worker(1))),
    Scenario(
      name: "server-lost",
      text: [
        "A server is lost.",
        "Two workers train against two servers. Server 1 is killed in the second epoch, and its rows",
        "with it. When its replacement joins, all tables roll back to the newest checkpoint, under",
        "a new generation, and what was trained since is trained again.",
      ],
      shape: ClusterShape(workers: 2, servers: 2), version: 5, fault: .kill(.server(1))),
    Scenario(
      name: "coordinator-replaced",
      text: [
        "The coordinator is replaced.",
        "One worker trains against two servers. The coordinator is killed in the second epoch, which",
        "the others finish without it. The next coordinator has a higher term. It does not know the",
        "nodes and asks for a hello; servers say which version they hold, and both have the",
        "generation of the records, so they keep their tables and nothing is trained again.",
      ],
      shape: ClusterShape(workers: 1, servers: 2), version: 4, fault: .kill(.coordinator)),
    Scenario(
      name: "stop",
      text: [
        "A stop.",
        "One worker trains against two servers. The coordinator is asked to stop in the second",
        "epoch. Servers hold their version, the highest of them is the goal, the others catch up,",
        "all write it, and when that checkpoint is recorded all may leave.",
      ],
      shape: ClusterShape(workers: 1, servers: 2), version: 5, fault: .terminate(.coordinator),
      isComplete: false),
    Scenario(
      name: "rescale",
      text: [
        "A rescale.",
        "One worker trains against two servers. The run is asked to stop in the second epoch, and is",
        "resumed with three workers and one server, which reads the rows of both from the checkpoint.",
        "The run ends in the same bits.",
      ],
      shape: ClusterShape(workers: 1, servers: 2), version: 5,
      fault: .pause(ClusterShape(workers: 3, servers: 1))),
  ]

  @Test("what happens is what the transcript says", arguments: scenarios)
  func transcript(scenario: Scenario) throws {
    // The fault happens in the second epoch or before.
    let written = Written(Transcript(scenario.text, until: 1))
    let simulation = Simulation()
    let cluster = try simulation.cluster(.bpr, scenario.shape, seed: 1) { time, event in
      written.transcript.add(event, at: time)
    }
    let isReached = cluster.run { $0.server(0)?.state?.version == scenario.version }
    #expect(isReached)
    cluster.happen(scenario.fault)
    cluster.run()
    #expect(cluster.violations == [])
    if scenario.isComplete { #expect(try simulation.differences(of: cluster) == []) }
    if ProcessInfo.processInfo.environment["MRDIB_WRITE_TRANSCRIPTS"] != nil {
      try written.transcript.store(scenario.name)
    }
    let text = written.transcript.text
    let stored = try Transcript.stored(scenario.name)
    #expect(text == stored, "\(Self.difference(text, stored))")
    #expect((30...120).contains(written.transcript.lines.count))
  }

  /// Collects the events.
  private final class Written {
    var transcript: Transcript

    init(_ transcript: Transcript) { self.transcript = transcript }
  }

  /// The first line that differs from the stored transcript.
  private static func difference(_ found: String, _ stored: String) -> String {
    let found = found.split(separator: "\n", omittingEmptySubsequences: false)
    let stored = stored.split(separator: "\n", omittingEmptySubsequences: false)
    let index = zip(found, stored).enumerated().first { $0.element.0 != $0.element.1 }?.offset
    let line = index ?? min(found.count, stored.count)
    return "line \(line + 1) is '\(found.dropFirst(line).first ?? "")', and was "
      + "'\(stored.dropFirst(line).first ?? "")'"
  }
}
