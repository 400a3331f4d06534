import Messages
import Models
import Tensors
import Training

/// The reading of the best model from the servers into memory.
final class SimulatedSaving {
  enum Conclusion {
    case read(SimulatedDisk.SavedModel)
    case failed(String)
  }

  let connections: [ConnectionName]
  private let owner: ProcessName
  private let epoch: UInt32
  private let version: UInt64
  private let generation: UInt64
  private let endpoints: [String]
  private var conversation = ServerConversation()
  private let rows = Rows()
  private let reading: ReadTablesWork

  /// What was read, by table.
  private final class Rows {
    var bits: [[UInt32]]
    init() { bits = [] }
  }

  init(
    owner: ProcessName, epoch: UInt32, version: UInt64, generation: UInt64, endpoints: [String],
    connections: [ConnectionName], problem: SimulationProblem
  ) {
    self.owner = owner
    self.epoch = epoch
    self.version = version
    self.generation = generation
    self.endpoints = endpoints
    self.connections = connections
    let tables = problem.model.tables
    rows.bits = tables.map { _ in [] }
    reading = ReadTablesWork(
      routing: TableRouting(tables: tables, serverCount: endpoints.count),
      tables: Array(tables.indices), version: version, generation: generation
    ) { [rows] table, _, matrix in
      rows.bits[table] += matrix.elements.map(\.bitPattern)
    }
  }

  func begin(in cluster: SimulatedCluster) -> Conclusion? {
    let hello = DataHello(runID: "simulated", generation: generation, sender: "coordinator")
    return perform(
      conversation.greet(hello, serverCount: endpoints.count, at: cluster.now), in: cluster)
  }

  func handle(_ reply: DataReply, from server: Int, in cluster: SimulatedCluster) -> Conclusion? {
    perform(conversation.handle(reply, from: server, at: cluster.now), in: cluster)
  }

  func tick(in cluster: SimulatedCluster) -> Conclusion? {
    perform(conversation.tick(at: cluster.now), in: cluster)
  }

  private func perform(
    _ actions: [ServerConversation.Action], in cluster: SimulatedCluster
  ) -> Conclusion? {
    for action in actions {
      switch action {
      case .request(let request, let server), .probe(let request, let server):
        cluster.send(
          .request(request, connection: connections[server]), from: owner,
          toEndpoint: endpoints[server])
      case .greeted: if let end = advance(.begin, in: cluster) { return end }
      case .advance(let input): if let end = advance(input, in: cluster) { return end }
      case .done:
        return .read(
          SimulatedDisk.SavedModel(epoch: epoch, version: version, bits: rows.bits))
      case .lost(let server): return .failed("server \(server) is silent")
      case .refused(let failure): return .failed(failure.message)
      case .outdated(let message): return .failed(message)
      }
    }
    return nil
  }

  private func advance(_ input: WorkInput, in cluster: SimulatedCluster) -> Conclusion? {
    do {
      let output = try reading.advance(input)
      return perform(conversation.perform(output, at: cluster.now), in: cluster)
    } catch {
      return .failed("\(error)")
    }
  }
}
