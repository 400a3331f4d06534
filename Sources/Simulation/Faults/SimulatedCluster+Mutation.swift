import Nodes
import Protocol

/// The rules that are broken on purpose.
extension SimulatedCluster {
  /// What a coordinator sends.
  func mutated(_ envelope: CoordinatorEnvelope) -> CoordinatorEnvelope {
    mutation == .noTerms ? CoordinatorEnvelope(term: 1, message: envelope.message) : envelope
  }

  /// What arrives at a server.
  func mutated(
    _ request: DataRequest, for server: SimulatedServer, isRepeated: Bool
  ) -> DataRequest {
    guard let standing = server.standing else { return request }
    var request = request
    switch (mutation, request.body) {
    case (.noGenerations, .hello(var hello)):
      hello.generation = standing.generation
      request.body = .hello(hello)
    case (.repeatedPushesCount, .push(var push)) where isRepeated && push.kind == .gradient:
      push.name.version = standing.version
      request.body = .push(push)
    case (.noGenerations, .push(var push)):
      push.name.generation = standing.generation
      request.body = .push(push)
    case (.earlyAnswers, .pull(var pull))
    where pull.version > standing.version && !pull.wantsReports:
      pull.version -= 1
      request.body = .pull(pull)
    case (.noGenerations, .pull(var pull)):
      pull.generation = standing.generation
      request.body = .pull(pull)
    case (.noGenerations, .reduce(var reduce)):
      reduce.name.generation = standing.generation
      request.body = .reduce(reduce)
    default: break
    }
    return request
  }

  /// Behind every gradient the confirmation that should wait for its acknowledgement.
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
