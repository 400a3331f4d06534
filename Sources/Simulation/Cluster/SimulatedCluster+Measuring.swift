import ParameterServer

/// Whether the model that is saved is the one that was measured.
extension SimulatedCluster {
  /// What an evaluation was of.
  struct Measured {
    let epoch: UInt32
    /// The tables that training changes, whole, bit by bit.
    let bits: [[UInt32]]
  }

  /// An evaluation is recorded: nobody trains, so that the servers have the tables still.
  func noteEvaluated(_ epoch: UInt32, generation: UInt64) {
    measured = nil
    let states = processes.servers.compactMap(\.state).filter { $0.generation == generation }
    // One of them may have died since.
    guard let count = states.first?.serverCount, Set(states.map(\.rank)).count == count else {
      return
    }
    let auditor = ConnectionName.ofAuditor(at: processes.servers[0].name)
    measured = reference.assemble(states, auditor: auditor).map {
      Measured(epoch: epoch, bits: $0)
    }
  }

  /// The best model is saved.
  func checkMeasured(_ model: SimulatedDisk.SavedModel) {
    guard let measured, measured.epoch == model.epoch else { return }
    count(.comparedBest)
    if reference.tables.map({ model.bits[$0] }) != measured.bits {
      report("the best model, of epoch \(model.epoch), is not the one that was measured")
    }
  }
}
