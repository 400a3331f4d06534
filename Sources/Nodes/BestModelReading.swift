import Protocol
import Tables
import Worker

/// Reads the best model from the servers for the coordinator, over separate connections.
final class BestModelReading<Environment: CoordinatorEnvironment> {
  enum Conclusion {
    /// The writer has all rows.
    case read(Environment.ModelWriter)
    case failed(String, isTransient: Bool)
  }

  private let request: BestModelRequest
  private let writer: Environment.ModelWriter
  private let work: ReadTablesWork
  private unowned let environment: Environment
  private var conversation = ServerConversation()
  /// Connections by rank.
  private var servers: [Environment.Peer] = []

  /// Connects to the servers.
  ///
  /// - Throws: an error with a sentence if an address is wrong or a connection is refused.
  init(
    _ request: BestModelRequest, of tables: [TableSpec], from endpoints: [String],
    into writer: Environment.ModelWriter, in environment: Environment
  ) throws {
    self.request = request
    self.writer = writer
    self.environment = environment
    work = writer.reading(
      routing: TableRouting(tables: tables, serverCount: endpoints.count),
      generation: request.generation)
    do {
      for endpoint in endpoints { servers.append(try environment.connect(to: endpoint)) }
    } catch {
      close()
      throw error
    }
  }

  func owns(_ peer: Environment.Peer) -> Bool { servers.contains(peer) }

  /// Sends a hello to every server; reading begins when all have answered.
  func begin(runID: String) -> Conclusion? {
    let hello = DataHello(
      runID: runID, generation: request.generation, sender: "coordinator")
    return perform(
      conversation.greet(hello, serverCount: servers.count, at: environment.now))
  }

  func handle(_ reply: DataReply, from peer: Environment.Peer) -> Conclusion? {
    guard let server = servers.firstIndex(of: peer) else { return nil }
    return perform(conversation.handle(reply, from: server, at: environment.now))
  }

  /// Retries requests that were not answered.
  func tick() -> Conclusion? { perform(conversation.tick(at: environment.now)) }

  func close() {
    conversation.abandon()
    for peer in servers { environment.close(peer) }
    servers = []
  }

  private func perform(_ actions: [ServerConversation.Action]) -> Conclusion? {
    for action in actions {
      if let conclusion = perform(action) { return conclusion }
    }
    return nil
  }

  private func perform(_ action: ServerConversation.Action) -> Conclusion? {
    switch action {
    case .request(let request, let server), .probe(let request, let server):
      environment.send(request, to: servers[server])
      return nil
    case .greeted: return advance(.begin)
    case .advance(let input): return advance(input)
    case .done: return .read(writer)
    case .lost(let server): return .failed("server \(server) is silent", isTransient: true)
    case .refused(let failure): return .failed(failure.message, isTransient: true)
    case .outdated(let message): return .failed(message, isTransient: true)
    }
  }

  private func advance(_ input: WorkInput) -> Conclusion? {
    do {
      let output = try work.advance(input)
      return perform(conversation.perform(output, at: environment.now))
    } catch {
      return .failed("\(error)", isTransient: environment.isPassingShortage(error))
    }
  }
}
