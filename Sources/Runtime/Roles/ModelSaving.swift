import Logging
import Messages
import Models
import Training
import Transport

/// The coordinator's reading of the best model from the servers into files, over connections of
/// its own. Lives on the network thread; what waits for the disk is the ``BestModelKeeper``'s.
final class ModelSaving {
  enum Conclusion {
    /// All rows are in the files, which are to be completed.
    case read(BestModelWriter)
    case failed(String, isTransient: Bool)
  }

  typealias Loop = NetworkLoop<CoordinatorNews>

  private let writer: BestModelWriter
  private let reading: ReadTablesWork
  private var conversation = ServerConversation()
  private var servers: [PeerID] = []
  private let logger = Logger(label: "mrdib.coordinator")

  /// Connects to the servers.
  ///
  /// - Throws: errors with a sentence when an address is wrong.
  init(
    _ wanted: BestModelKeeper.Wanted, of model: TrainingModel, into writer: BestModelWriter,
    on loop: Loop
  ) throws {
    self.writer = writer
    reading = writer.reading(
      routing: TableRouting(tables: model.tables, serverCount: wanted.endpoints.count),
      generation: wanted.generation)
    do {
      for endpoint in wanted.endpoints { servers.append(try loop.connectDealer(endpoint)) }
    } catch {
      close(on: loop)
      throw error
    }
  }

  func owns(_ peer: PeerID) -> Bool { servers.contains(peer) }

  /// Greets the servers; the reading begins when all have answered.
  func begin(_ hello: DataHello, at now: Double, on loop: Loop) -> Conclusion? {
    perform(conversation.greet(hello, serverCount: servers.count, at: now), at: now, on: loop)
  }

  func handle(
    _ reply: DataReply, from peer: PeerID, at now: Double, on loop: Loop
  ) -> Conclusion? {
    guard let server = servers.firstIndex(of: peer) else { return nil }
    return perform(conversation.handle(reply, from: server, at: now), at: now, on: loop)
  }

  /// Asks again for what was not answered.
  func tick(at now: Double, on loop: Loop) -> Conclusion? {
    perform(conversation.tick(at: now), at: now, on: loop)
  }

  func close(on loop: Loop) {
    conversation.abandon()
    for peer in servers { loop.close(peer.connection) }
    servers = []
  }

  private func perform(
    _ actions: [ServerConversation.Action], at now: Double, on loop: Loop
  ) -> Conclusion? {
    for action in actions {
      if let conclusion = perform(action, at: now, on: loop) { return conclusion }
    }
    return nil
  }

  private func perform(
    _ action: ServerConversation.Action, at now: Double, on loop: Loop
  ) -> Conclusion? {
    switch action {
    case .request(let request, let server), .probe(let request, let server):
      do {
        try loop.send(request.encoded(), to: servers[server])
      } catch {
        logger.warning("could not ask server \(server): \(error)")
      }
      return nil
    case .greeted: return read(.begin, at: now, on: loop)
    case .advance(let input): return read(input, at: now, on: loop)
    case .done: return .read(writer)
    case .lost(let server): return .failed("server \(server) is silent", isTransient: true)
    case .refused(let failure): return .failed(failure.message, isTransient: true)
    case .outdated(let message): return .failed(message, isTransient: true)
    }
  }

  private func read(_ input: WorkInput, at now: Double, on loop: Loop) -> Conclusion? {
    do {
      let output = try reading.advance(input)
      return perform(conversation.perform(output, at: now), at: now, on: loop)
    } catch {
      return .failed("\(error)", isTransient: PassingShortage.caused(error))
    }
  }
}
