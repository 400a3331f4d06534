import Coordinator
import Protocol
import Tables

/// The coordinator of a run: reads messages, keeps track of which node uses which connection, and
/// carries out what ``CoordinatorState`` decides.
package final class CoordinatorNode<Environment: CoordinatorEnvironment> {
  package typealias Peer = Environment.Peer

  package private(set) var state: CoordinatorState
  private unowned let environment: Environment
  /// The model's tables, for reading the best model.
  private let tables: [TableSpec]
  private var nodes = NodeConnections<Peer>()
  /// The saving of a best model that is under way.
  private var saving: (request: BestModelRequest, endpoints: [String])?
  private var savingCount: UInt64 = 0
  /// The reading of rows for it, from start to end.
  private var reading: BestModelReading<Environment>?
  /// Set when the records cannot be written: inputs and actions are ignored from then on.
  private var hasFailed = false

  /// - Parameter tables: of the model, in the order of the plan.
  package init(_ state: CoordinatorState, tables: [TableSpec], in environment: Environment) {
    self.state = state
    self.tables = tables
    self.environment = environment
  }

  // MARK: Inputs

  package func received(_ message: Environment.Message, from peer: Peer) {
    guard !hasFailed else { return }
    do {
      if let reading, reading.owns(peer) {
        let reply = try message.dataReply()
        if case .pulled = reply.body { handle(.bestSaveMoved) }
        return conclude(reading.handle(reply, from: peer))
      }
      let message = try message.nodeMessage()
      if case .hello(let hello) = message {
        nodes.add(
          hello.incarnation, on: peer, memberCount: state.memberCount
        ) { state.isMember($0) }
        recordKernels(of: hello)
      }
      guard let node = nodes.node(on: peer) else { return askForHello(peer) }
      if case .heartbeat(let heartbeat) = message, let role = state.role(of: node) {
        environment.noteUsage(of: role, incarnation: node, cpuSeconds: heartbeat.cpuSeconds)
      }
      handle(.message(message, from: node))
    } catch {
      environment.recordMalformedMessage("\(error)")
      if error.code == .protocolVersion { send(.refused(error.refusal), to: peer) }
      if let node = nodes.node(on: peer) {
        handle(.undecodable(from: node, message: "\(error)"))
      }
    }
  }

  /// Time passes.
  ///
  /// - Parameter isBehind: whether messages have arrived that the node has not received yet.
  package func tick(isBehind: Bool = false) {
    handle(isBehind ? .tickWhileBehind : .tick)
    if let reading { conclude(reading.tick()) }
    if !hasFailed, let wait = state.currentWait(at: environment.now) {
      environment.showWait(for: wait.what, secondsLeft: wait.secondsLeft)
    }
  }

  /// The user or a supervisor wants the run to end; `reason` such as `Ctrl-C`.
  package func stop(because reason: String) { handle(.stopRequested(reason: reason)) }

  /// The result of a job on checkpoints.
  ///
  /// - Parameter problems: why checkpoints were skipped, in sentences.
  package func finished(_ event: CoordinatorEvent, problems: [String] = []) {
    for problem in problems { environment.log(.warning, problem) }
    handle(event)
  }

  /// A result of a job on the files of a best model.
  package func model(
    _ event: BestModelEvent<Environment.ModelWriter>, ofSaving number: UInt64
  ) {
    guard let saving, saving.request.number == number else { return }
    switch event {
    case .begun(let writer):
      handle(.bestSaveMoved)
      read(saving.request, from: saving.endpoints, into: writer)
    case .moved: handle(.bestSaveMoved)
    case .saved:
      self.saving = nil
      handle(.bestSaved)
    case .failed(let message, let isTransient): saveFailed(message, isTransient: isTransient)
    }
  }

  /// The records of the run cannot be written, or the run directory has moved away: continuing
  /// would lose results. All nodes are sent `finish`, unless another coordinator has taken the run
  /// over and needs them.
  package func fail(_ error: any Error) {
    guard !hasFailed else { return }
    hasFailed = true
    // A successor may be saving a best model in the same place.
    dropSaving()
    let isSuperseded = (error as? CoordinationError)?.code == .superseded
    if !isSuperseded {
      let reason = "The coordinator cannot write its records: \(error)"
      for peer in nodes.allPeers {
        send(.finish(reason: reason, ending: .permanentFailure), to: peer)
      }
    }
    environment.end(.failed(error, isSuperseded: isSuperseded))
  }

  // MARK: Actions

  private func handle(_ event: CoordinatorEvent) {
    guard !hasFailed else { return }
    for action in state.handle(event, at: environment.now) where !hasFailed { perform(action) }
  }

  private func perform(_ action: CoordinatorAction) {
    switch action {
    case .send(let message, let node):
      if let peer = nodes.peer(of: node) { send(message, to: peer) }
    case .record(let record):
      do {
        try environment.record(record)
      } catch {
        fail(error)
      }
    case .report(let event): environment.report(event)
    case .saveBest(let epoch, let version, let generation, let endpoints):
      dropSaving()
      savingCount += 1
      let request = BestModelRequest(
        number: savingCount, epoch: epoch, version: version, generation: generation)
      saving = (request, endpoints)
      environment.makeModelFiles(request)
    case .cancelSave: dropSaving()
    case .findCheckpoint: environment.findCheckpoint()
    case .commitCheckpoint(let commit):
      environment.commitCheckpoint(commit, keepers: state.recordKeepers)
    case .copyRecords: environment.copyRecords(to: state.recordKeepers)
    case .discardCheckpointFiles(let shards): environment.discardCheckpointFiles(shards)
    case .finish(let outcome): environment.end(.finished(outcome))
    }
  }

  private func send(_ message: CoordinatorMessage, to peer: Peer) {
    environment.send(CoordinatorEnvelope(term: state.plan.term, message: message), to: peer)
  }

  /// The peer may be a node of this run that has not noticed that its coordinator was restarted.
  private func askForHello(_ peer: Peer) {
    let refusal = Refusal(
      code: .helloNeeded, message: "this coordinator does not know this node; send a hello")
    send(.refused(refusal), to: peer)
  }

  private func recordKernels(of hello: NodeHello) {
    do {
      try environment.recordKernels(of: hello)
    } catch {
      // If the records cannot be written, the next one that matters ends the run.
      environment.log(.warning, "\(error)")
    }
  }

  // MARK: Best model

  private func read(
    _ request: BestModelRequest, from endpoints: [String], into writer: Environment.ModelWriter
  ) {
    do {
      let reading = try BestModelReading(
        request, of: tables, from: endpoints, into: writer, in: environment)
      self.reading = reading
      conclude(reading.begin(runID: state.plan.runID))
    } catch {
      saveFailed("\(error)", isTransient: environment.isPassingShortage(error))
    }
  }

  private func conclude(_ conclusion: BestModelReading<Environment>.Conclusion?) {
    guard let conclusion else { return }
    endReading()
    switch conclusion {
    case .read(let writer):
      if let saving { environment.completeModelFiles(writer, of: saving.request) }
    case .failed(let message, let isTransient): saveFailed(message, isTransient: isTransient)
    }
  }

  private func saveFailed(_ message: String, isTransient: Bool) {
    saving = nil
    if isTransient {
      environment.log(
        .frequentWarning, "the best model is not saved yet; retrying: \(message)")
    }
    handle(.bestSaveFailed(message, isTransient: isTransient))
  }

  /// Results of the present saving are ignored from now on.
  private func dropSaving() {
    endReading()
    saving = nil
  }

  private func endReading() {
    reading?.close()
    reading = nil
  }
}
