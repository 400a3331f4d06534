import ParameterServer
import Protocol

/// What a ``ServerNode`` needs of its process.
///
/// Jobs return at once. Their results come back through ``ServerNode/handle(_:)``.
package protocol ServerEnvironment: MemberEnvironment {
  /// Sends a reply. What cannot be sent is logged; the peer retries its request.
  ///
  /// - Returns: false if the peer is gone.
  func send(_ reply: DataReply, to peer: Peer) -> Bool

  /// Job: `ServerSessionAction.prepare`.
  func prepare(_ welcome: Welcome)

  /// Job: `ServerSessionAction.writeCheckpoint`, of the generation of a welcome.
  func write(_ snapshot: ServerSnapshot, of welcome: Welcome)

  /// Job: a piece of a file of another server; reports `answered`.
  func exchange(_ copy: CopyRequest, id: UInt64, with peer: Peer)

  /// Where the servers of a generation answer, by rank, for copies of files.
  func learnServers(_ endpoints: [String], of generation: UInt64)

  /// Job without a result: keeps a manifest and deletes old files, where the folder is not shared.
  func keepManifest(_ manifest: String, _ content: String, of welcome: Welcome)

  /// Job: completes a report with what is on the disk; reports `inspected`. A question that comes
  /// while another is being answered may be ignored: it is repeated.
  func inspect(_ question: DiskQuestion, _ report: DiskReport)

  /// The run has come to its end, and will not be resumed.
  func noteOver(_ welcome: Welcome)

  /// The server has left the run.
  func end(_ departure: Departure)
}

/// Servers that share the folder of the checkpoints exchange no files.
extension ServerEnvironment {
  package func exchange(_ copy: CopyRequest, id: UInt64, with peer: Peer) {
    let refusal = Refusal(code: .malformed, message: "This server keeps no files of others.")
    _ = send(DataReply(requestID: id, body: .refused(refusal)), to: peer)
  }

  package func learnServers(_ endpoints: [String], of generation: UInt64) {}

  package func keepManifest(_ manifest: String, _ content: String, of welcome: Welcome) {}

  package func inspect(_ question: DiskQuestion, _ report: DiskReport) {}

  package func noteOver(_ welcome: Welcome) {}
}

/// A parameter server: reads messages and carries out what ``ServerSession`` decides.
package final class ServerNode<Environment: ServerEnvironment> {
  package typealias Peer = Environment.Peer

  package private(set) var session: ServerSession<Peer>
  private unowned let environment: Environment
  private let coordinator: Peer
  /// The welcome of the generation that is being prepared or served.
  private var welcome: Welcome?
  private let dataEndpoint: String

  /// - Parameter coordinator: the connection to the coordinator.
  package init(
    hello: NodeHello, limits: NodeMembership.Limits = .init(), coordinator: Peer,
    in environment: Environment
  ) {
    session = ServerSession(hello: hello, limits: limits, at: environment.now)
    self.coordinator = coordinator
    self.environment = environment
    dataEndpoint = hello.dataEndpoint
  }

  // MARK: Inputs

  package func received(_ message: Environment.Message, from peer: Peer) {
    do {
      if peer == coordinator {
        let envelope = try message.coordinatorEnvelope()
        let isRunning = !session.hasLeft
        handle(.coordinator(envelope))
        answer(envelope.message, wasRunning: isRunning)
      } else {
        let request = try message.dataRequest()
        if case .copy(let copy) = request.body {
          environment.exchange(copy, id: request.id, with: peer)
        } else {
          handle(.request(request, from: peer))
        }
      }
    } catch {
      environment.recordMalformedMessage("\(error)")
      guard peer != coordinator, let id = error.requestID else { return }
      send(DataReply(requestID: id, body: .refused(error.refusal)), to: peer)
    }
  }

  /// Time, a signal, a connection that is gone, or the result of a job.
  package func handle(_ event: ServerSessionEvent<Peer>) {
    // The coordinator receives this too, and reports it as a warning.
    if case .checkpointFailed(_, let version, let message) = event {
      environment.log(
        .info, "the checkpoint of version \(version) was not written: \(message)")
    }
    for action in session.handle(event, at: environment.now) { perform(action) }
  }

  /// What concerns only the disk.
  private func answer(_ message: CoordinatorMessage, wasRunning: Bool) {
    switch message {
    case .inspect(let question):
      environment.inspect(
        question,
        DiskReport(
          dataEndpoint: dataEndpoint, term: session.term,
          generation: session.welcome?.generation ?? 0))
    case .finish(_, .orderly):
      // Only if that was the coordinator that the session obeys.
      if wasRunning, session.hasLeft, let welcome { environment.noteOver(welcome) }
    default: break
    }
  }

  // MARK: Actions

  private func perform(_ action: ServerSessionAction<Peer>) {
    switch action {
    case .send(let message): environment.sendToCoordinator(message)
    case .sendHeartbeat(let generation, let version):
      let heartbeat = Heartbeat(environment.usage(), generation: generation, version: version)
      environment.sendToCoordinator(.heartbeat(heartbeat))
    case .reply(let reply, let peer): send(reply, to: peer)
    case .prepare(let welcome):
      let version = welcome.restored?.version ?? 0
      environment.log(
        .info,
        "server \(welcome.rank) of generation \(welcome.generation) begins at version \(version)")
      self.welcome = welcome
      environment.prepare(welcome)
    case .writeCheckpoint(let snapshot):
      if let welcome { environment.write(snapshot, of: welcome) }
    case .learnServers(let generation, let endpoints):
      environment.learnServers(endpoints, of: generation)
    case .keepManifest(let manifest, let content):
      if let welcome { environment.keepManifest(manifest, content, of: welcome) }
    case .warn(let warning): environment.log(.warning, warning)
    case .leave(let departure):
      let done = session.statistics
      if done != ServerStatistics() { environment.log(.info, "in all: \(done)") }
      environment.end(departure)
    }
  }

  private func send(_ reply: DataReply, to peer: Peer) {
    if !environment.send(reply, to: peer) { handle(.peerGone(peer)) }
  }
}

extension Heartbeat {
  init(
    _ usage: ProcessUsage, taskProgress: UInt64 = 0, taskID: UInt64 = 0, generation: UInt64,
    version: UInt64 = 0
  ) {
    self.init(
      residentBytes: usage.residentBytes, peakResidentBytes: usage.peakResidentBytes,
      cpuSeconds: usage.cpuSeconds, taskProgress: taskProgress, taskID: taskID,
      generation: generation, version: version)
  }
}
