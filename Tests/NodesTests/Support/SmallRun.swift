import Coordinator
import Protocol
import Tables
import TestSupport

/// A run of two servers and one worker, with one table and one step per epoch.
enum SmallRun {
  static let table = TableSpec(
    name: "item", rows: 8, width: 1, initializer: .constant(0), rowsPerBlock: 1)

  static let description = TableDescription(
    name: "item", rows: 8, width: 1, rowsPerBlock: 1, initializer: "constant", initializerValue: 0,
    rule: "model", ruleValue: 0)

  static let plan = RunPlan(
    runID: "run", configuration: "model: bpr\n", tables: [description], seed: 1, shardCount: 1,
    workerCount: 1, serverCount: 2, stepsPerEpoch: 1, roundsPerStep: 1, epochs: 2,
    materializeBlockCount: 0, rankBlockCount: 1,
    selection: SelectionRule(metric: "valid.recall@20", patience: 5),
    timing: CoordinationTiming(heartbeatInterval: 1, heartbeatTimeout: 10, startupTimeout: 60))

  static func welcome(serverCount: UInt32 = 2) -> Welcome {
    Welcome(
      runID: "run", generation: 1, rank: 0, configuration: "model: bpr\n", tables: [description],
      seed: 1, shardCount: 1, stepsPerEpoch: 1, roundsPerStep: 1, serverCount: serverCount,
      heartbeatInterval: 1)
  }
}

extension WireMessage {
  /// A message of a coordinator of term 1.
  static func coordinator(_ message: CoordinatorMessage) -> WireMessage {
    CoordinatorEnvelope(term: 1, message: message).encoded()
  }

  /// A header with an id and no content.
  static func empty(id: UInt64) -> WireMessage {
    header(ProtobufBytes().number(1, UInt64(ProtocolVersion.current)).number(2, id))
  }

  /// Bytes of no protobuf message.
  static let garbage = header(ProtobufBytes().bytes(1, []).number(0, 0))

  /// A message of a later version of the protocol.
  static let future = header(ProtobufBytes().number(1, UInt64(ProtocolVersion.current) + 1))

  private static func header(_ header: ProtobufBytes) -> WireMessage {
    WireMessage(frames: [.copying(header.bytes)])
  }
}
