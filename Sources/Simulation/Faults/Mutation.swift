import Nodes
import Protocol

/// A rule of the protocol that the simulation breaks on purpose, by changing messages in transit,
/// to show that it notices.
package enum Mutation: String, Sendable, CaseIterable {
  /// A gradient that arrives twice counts twice: the second copy is changed into a contribution to
  /// the version that the server has by then.
  case repeatedPushesCount = "repeated-pushes-count"
  /// A shard's share of sums that arrives twice counts twice: the second copy is taken for the next
  /// shard's share.
  case repeatedSumsCount = "repeated-sums-count"
  /// Servers answer one version too early: a pull that would have to wait is changed into a pull of
  /// the version before.
  case earlyAnswers = "early-answers"
  /// Workers confirm their shards before the servers have acknowledged them.
  case earlyConfirmation = "early-confirmation"
  /// Servers accept messages of earlier generations.
  case noGenerations = "no-generations"
  /// Nodes obey every coordinator, and the store accepts records of all of them.
  case noTerms = "no-terms"
  /// Servers report that their rows are on disk before they are, and the coordinator does not
  /// check.
  case incompleteCheckpoints = "incomplete-checkpoints"
  /// Servers with disks of their own report their rows as saved before there is a copy.
  case reportBeforeCopy = "report-before-copy"
  /// The coordinator commits a checkpoint before there is a copy of its records.
  case reportBeforeRecords = "report-before-records"
  /// Servers take a copy that was damaged on its way for whole.
  case skipDigest = "skip-digest"
}

/// Where the rules are broken.
extension SimulatedCluster {
  /// Changes a message that a coordinator sends.
  func mutated(_ envelope: CoordinatorEnvelope) -> CoordinatorEnvelope {
    mutation == .noTerms ? CoordinatorEnvelope(term: 1, message: envelope.message) : envelope
  }

  /// Changes a request that arrives at a server.
  func mutated(
    _ request: DataRequest, for server: SimulatedServer, isRepeated: Bool
  ) -> DataRequest {
    guard let position = server.position else { return request }
    var request = request
    switch (mutation, request.body) {
    case (.noGenerations, .hello(var hello)):
      hello.generation = position.generation
      request.body = .hello(hello)
    case (.repeatedPushesCount, .push(var push)) where isRepeated && push.kind == .gradient:
      push.name.version = position.version
      request.body = .push(push)
    case (.repeatedSumsCount, .reduce(var reduce)) where isRepeated:
      reduce.name.shard = (reduce.name.shard + 1) % UInt32(SimulationProblem.shardCount)
      request.body = .reduce(reduce)
    case (.noGenerations, .push(var push)):
      push.name.generation = position.generation
      request.body = .push(push)
    case (.earlyAnswers, .pull(var pull))
    where pull.version > position.version && !pull.wantsReports:
      pull.version -= 1
      request.body = .pull(pull)
    case (.noGenerations, .pull(var pull)):
      pull.generation = position.generation
      request.body = .pull(pull)
    case (.noGenerations, .reduce(var reduce)):
      reduce.name.generation = position.generation
      request.body = .reduce(reduce)
    default: break
    }
    return request
  }

  /// Sends right after every gradient the confirmation that should wait for its acknowledgement.
  func confirmEarly(_ message: MemoryMessage, on connection: ConnectionName, _ route: Route) {
    guard case .request(let request) = message, case .push(let push) = request.body,
      push.kind == .gradient
    else { return }
    let pull = PullRequest(
      generation: push.name.generation, version: push.name.version + 1, sections: [],
      keys: .empty, confirmed: [push.name.shard])
    let confirmation = DataRequest(id: request.id + 1 << 40, body: .pull(pull))
    clock.after(
      0.01,
      .deliver(
        .request(confirmation), on: connection, route: route, number: network.nextNumber()))
  }
}
