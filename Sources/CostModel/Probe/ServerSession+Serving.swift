import ParameterServer
import Protocol

extension ServerSession {
  /// A server that was welcomed to a run and has its tables, without a coordinator: for
  /// measurements.
  package init(serving state: ServerState<Peer>, _ schedule: StepSchedule) {
    self.init(
      hello: NodeHello(
        role: .server, incarnation: UInt64(state.rank) + 1, runID: state.runID,
        dataEndpoint: "probe", host: "probe", processID: 1), at: 0)
    let welcome = Welcome(
      runID: state.runID, generation: state.generation, rank: UInt32(state.rank),
      configuration: "", tables: [], seed: 0, shardCount: UInt32(state.shardCount),
      stepsPerEpoch: UInt32(schedule.stepsPerEpoch),
      roundsPerStep: UInt32(schedule.roundsPerStep), serverCount: UInt32(state.serverCount),
      heartbeatInterval: 1)
    _ = handle(.coordinator(CoordinatorEnvelope(term: 1, message: .welcome(welcome))), at: 0)
    _ = handle(.prepared(state), at: 0)
  }
}
