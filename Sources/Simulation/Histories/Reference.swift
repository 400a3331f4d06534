import ParameterServer
import Protocol
import Recommenders
import Tables

/// The undisturbed run that others are compared with: the rows of every version.
final class Reference {
  private let problem: SimulationProblem
  /// The bits of whole tables, by version and table.
  private var rows: [UInt64: [[UInt32]]] = [:]

  init(_ problem: SimulationProblem) { self.problem = problem }

  /// The tables that training steps change. The others are written at evaluations, at no version in
  /// particular.
  var tables: [Int] {
    problem.model.tables.indices.filter { problem.model.tables[$0].rule != .assigned }
  }

  /// Records the rows of the one server of the undisturbed run.
  func learn<Peer>(_ state: ServerState<Peer>, auditor: Peer) {
    rows[state.version] = read(state, auditor: auditor)
  }

  /// How a server's rows differ from those of the undisturbed run, in sentences.
  func differences<Peer>(of state: ServerState<Peer>, auditor: Peer) -> [String] {
    guard let mine = read(state, auditor: auditor) else { return [] }
    // Initial values that are computed from data arrive after the first audit of version 0.
    guard let theirs = rows[state.version] else {
      if state.version == 0 { return [] }
      return ["version \(state.version) does not exist in the undisturbed run"]
    }
    let map = SlotMap(serverCount: state.serverCount)
    return zip(tables, zip(mine, theirs)).compactMap { table, bits in
      let spec = problem.model.tables[table]
      let expected = TablePlacement(spec, in: map).rows(ofServer: state.rank).flatMap { row in
        bits.1[Int(row) * spec.width..<(Int(row) + 1) * spec.width]
      }
      return expected == bits.0
        ? nil : "rows of table '\(spec.name)' differ at version \(state.version)"
    }
  }

  /// The bits of whole tables, assembled from the rows of all servers; nil while one has none.
  func assemble<Peer>(_ states: [ServerState<Peer>], auditor: Peer) -> [[UInt32]]? {
    var whole = tables.map { table in
      let spec = problem.model.tables[table]
      return [UInt32](repeating: 0, count: spec.rows * spec.width)
    }
    for state in states {
      guard let rows = read(state, auditor: auditor) else { return nil }
      let map = SlotMap(serverCount: state.serverCount)
      for (position, table) in tables.enumerated() {
        let spec = problem.model.tables[table]
        let ids = TablePlacement(spec, in: map).rows(ofServer: state.rank)
        for (index, row) in ids.enumerated() {
          for column in 0..<spec.width {
            whole[position][Int(row) * spec.width + column] =
              rows[position][index * spec.width + column]
          }
        }
      }
    }
    return whole
  }

  /// The bits of all rows of a server, by table; nil while initial values are missing.
  func read<Peer>(_ state: ServerState<Peer>, auditor: Peer) -> [[UInt32]]? {
    // Requests to a copy leave the server itself unchanged.
    var copy = state
    let hello = DataHello(
      runID: state.runID, generation: state.generation, sender: "the auditor")
    _ = copy.answer(DataRequest(id: 1, body: .hello(hello)), from: auditor)
    let sections = tables.map { table in
      TableSection(
        table: UInt32(table), rowCount: 0, width: UInt32(problem.model.tables[table].width),
        isWhole: true)
    }
    let pull = PullRequest(
      generation: state.generation, version: state.version, sections: sections, keys: .empty)
    for answer in copy.answer(DataRequest(id: 2, body: .pull(pull)), from: auditor)
    where answer.peer == auditor {
      guard case .pulled(let pulled) = answer.reply.body else { continue }
      var offset = 0
      return pulled.sections.map { section in
        let count = Int(section.rowCount) * Int(section.width)
        defer { offset += count }
        return (offset..<offset + count).map {
          pulled.values.load(Float.self, at: $0).bitPattern
        }
      }
    }
    return nil
  }
}

/// Whether the model that is saved is the one that was measured.
extension SimulatedCluster {
  /// The tables that an evaluation measured.
  struct Measured {
    let epoch: UInt32
    /// The bits of the whole tables that training changes.
    let bits: [[UInt32]]
  }

  /// An evaluation is recorded. Training waits, so the servers still have the measured tables.
  func noteEvaluated(_ epoch: UInt32, generation: UInt64) {
    measured = nil
    let states = processes.servers.compactMap(\.state).filter { $0.generation == generation }
    // A server may have died since.
    guard let count = states.first?.serverCount, Set(states.map(\.rank)).count == count else {
      return
    }
    let auditor = ConnectionName.ofAuditor(at: processes.servers[0].name)
    measured = reference.assemble(states, auditor: auditor).map {
      Measured(epoch: epoch, bits: $0)
    }
  }

  /// The best model is saved: compares it with the tables that were measured.
  func checkMeasured(_ model: SimulatedDisk.SavedModel) {
    guard let measured, measured.epoch == model.epoch else { return }
    count(.comparedBest)
    if reference.tables.map({ model.bits[$0] }) != measured.bits {
      report("the best model, of epoch \(model.epoch), is not the one that was measured")
    }
  }
}
