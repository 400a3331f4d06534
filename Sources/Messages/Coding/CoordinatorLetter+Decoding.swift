internal import CWireMessages

extension CoordinatorLetter {
  /// Reads what the coordinator says.
  ///
  /// - Throws: ``WireError`` when the message is of another protocol version, holds more than
  ///   `limits`, or contradicts itself.
  public init(
    decoding message: WireMessage, limits: WireLimits = .standard
  ) throws(WireError) {
    let reader = WireReader(limits: limits, subject: "a message of the coordinator")
    try reader.checkFrameCount(message, is: 1)
    let header = try UnpackedHeader<Mrdib__V1__ControlHeader>.parsing(
      message.frames[0], reader: reader)
    self.init(term: header.value.term, message: try reader.coordinatorMessage(header.value))
  }
}

extension WireReader {
  fileprivate func coordinatorMessage(
    _ header: Mrdib__V1__ControlHeader
  ) throws(WireError) -> CoordinatorMessage {
    switch header.body_case {
    case MRDIB__V1__CONTROL_HEADER__BODY_WELCOME:
      return .welcome(try welcome(try required(header.welcome, "welcome")))
    case MRDIB__V1__CONTROL_HEADER__BODY_SERVERS:
      let servers = try required(header.servers, "servers")
      return .servers(generation: servers.generation, endpoints: try endpoints(servers))
    case MRDIB__V1__CONTROL_HEADER__BODY_TASK:
      return .task(try task(try required(header.task, "task")))
    case MRDIB__V1__CONTROL_HEADER__BODY_HEARTBEAT_SEEN:
      let seen = try required(header.heartbeat_seen, "heartbeat")
      return .heartbeatSeen(generation: seen.generation)
    case MRDIB__V1__CONTROL_HEADER__BODY_FINISH:
      let finish = try required(header.finish, "finish")
      guard let ending = RunEnding(rawValue: finish.ending) else {
        throw malformed("a run ended in the unknown way \(finish.ending)")
      }
      return .finish(reason: try text(finish.reason, "reason"), ending: ending)
    case MRDIB__V1__CONTROL_HEADER__BODY_REFUSED:
      return .refused(try refusal(header.refused))
    case MRDIB__V1__CONTROL_HEADER__BODY_HOLD:
      return .hold(generation: try required(header.hold, "hold").generation)
    case MRDIB__V1__CONTROL_HEADER__BODY_CHECKPOINT:
      let checkpoint = try required(header.checkpoint, "checkpoint")
      return .checkpoint(generation: checkpoint.generation, version: checkpoint.version)
    case MRDIB__V1__CONTROL_HEADER__BODY_CHECKPOINT_SEEN:
      let seen = try required(header.checkpoint_seen, "checkpoint")
      return .checkpointSeen(generation: seen.generation, version: seen.version)
    default:
      throw malformed("it says nothing that a coordinator says")
    }
  }

  private func endpoints(_ wire: Mrdib__V1__Servers) throws(WireError) -> [String] {
    try list(
      wire.endpoints, count: wire.n_endpoints, atMost: limits.servers, "server endpoints"
    ) { (endpoint) throws(WireError) in
      try text(endpoint, "server endpoint")
    }
  }

  private func welcome(_ wire: Mrdib__V1__Welcome) throws(WireError) -> Welcome {
    Welcome(
      runID: try text(wire.run_id, "run id"), generation: wire.generation, rank: wire.rank,
      configuration: try string(
        wire.configuration, atMost: limits.configurationBytes, "configuration"),
      tables: try tables(wire), seed: wire.seed, shardCount: wire.shard_count,
      stepsPerEpoch: wire.steps_per_epoch, roundsPerStep: wire.rounds_per_step,
      serverCount: wire.server_count,
      heartbeatInterval: try seconds(wire.heartbeat_interval_seconds, "heartbeat interval"),
      checkpoints: try checkpoints(wire), restored: try restored(wire))
  }

  private func checkpoints(_ wire: Mrdib__V1__Welcome) throws(WireError) -> CheckpointPlan? {
    let folder = try text(wire.checkpoint_folder, "checkpoint folder")
    return folder.isEmpty
      ? nil : CheckpointPlan(folder: folder, interval: wire.checkpoint_interval)
  }

  private func restored(_ wire: Mrdib__V1__Welcome) throws(WireError) -> RestoredCheckpoint? {
    let manifest = try text(wire.restored_manifest, "manifest")
    return manifest.isEmpty
      ? nil : RestoredCheckpoint(manifest: manifest, version: wire.restored_version)
  }

  private func tables(_ wire: Mrdib__V1__Welcome) throws(WireError) -> [TableDescription] {
    try list(
      wire.tables, count: wire.n_tables, atMost: limits.sections, "tables"
    ) { (table) throws(WireError) in
      TableDescription(
        name: try text(table.pointee.name, "table name"), rows: table.pointee.rows,
        width: table.pointee.width, rowsPerBlock: table.pointee.rows_per_block,
        initializer: try text(table.pointee.initializer, "initializer"),
        initializerValue: table.pointee.initializer_value,
        rule: try text(table.pointee.rule, "update rule"), ruleValue: table.pointee.rule_value)
    }
  }

  private func task(_ wire: Mrdib__V1__Task) throws(WireError) -> WorkerTask {
    WorkerTask(id: wire.id, generation: wire.generation, body: try taskBody(wire))
  }

  private func taskBody(_ wire: Mrdib__V1__Task) throws(WireError) -> TaskBody {
    switch wire.body_case {
    case MRDIB__V1__TASK__BODY_TRAIN:
      let train = try required(wire.train, "training task")
      return .train(
        epoch: train.epoch, firstVersion: train.first_version, startVersion: train.start_version,
        shards: try units(train.shards, count: train.n_shards, "shards"))
    case MRDIB__V1__TASK__BODY_MATERIALIZE:
      let materialize = try required(wire.materialize, "materialisation task")
      return .materialize(
        version: materialize.version, epoch: materialize.epoch,
        blocks: try units(materialize.blocks, count: materialize.n_blocks, "blocks"))
    case MRDIB__V1__TASK__BODY_RANK:
      let rank = try required(wire.rank, "ranking task")
      return .rank(
        version: rank.version, epoch: rank.epoch,
        blocks: try units(rank.blocks, count: rank.n_blocks, "blocks"))
    default:
      throw malformed("it gives a task of a kind that this program does not know")
    }
  }

  private func units(
    _ pointer: UnsafeMutablePointer<UInt32>?, count: Int, _ name: String
  ) throws(WireError) -> [UInt32] {
    try numbers(pointer, count: count, atMost: limits.units, name)
  }
}
