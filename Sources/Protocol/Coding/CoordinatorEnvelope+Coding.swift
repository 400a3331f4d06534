internal import CWireMessages

extension CoordinatorEnvelope {
  /// The message's one frame.
  package func encoded() -> WireMessage {
    var arena = HeaderArena()
    let header = arena.make(mrdib__v1__control_header__init)
    header.pointee.protocol_version = ProtocolVersion.current
    header.pointee.term = term
    switch message {
    case .welcome(let welcome):
      header.pointee.body_case = MRDIB__V1__CONTROL_HEADER__BODY_WELCOME
      header.pointee.welcome = arena.welcome(welcome)
    case .servers(let generation, let endpoints):
      let servers = arena.make(mrdib__v1__servers__init)
      servers.pointee.generation = generation
      servers.pointee.n_endpoints = endpoints.count
      servers.pointee.endpoints = arena.list(endpoints)
      header.pointee.body_case = MRDIB__V1__CONTROL_HEADER__BODY_SERVERS
      header.pointee.servers = servers
    case .task(let task):
      header.pointee.body_case = MRDIB__V1__CONTROL_HEADER__BODY_TASK
      header.pointee.task = arena.task(task)
    case .heartbeatAcknowledged(let generation):
      let seen = arena.make(mrdib__v1__heartbeat_seen__init)
      seen.pointee.generation = generation
      header.pointee.body_case = MRDIB__V1__CONTROL_HEADER__BODY_HEARTBEAT_SEEN
      header.pointee.heartbeat_seen = seen
    case .finish(let reason, let ending):
      let finish = arena.make(mrdib__v1__finish__init)
      finish.pointee.reason = arena.sentence(reason)
      finish.pointee.ending = ending.rawValue
      header.pointee.body_case = MRDIB__V1__CONTROL_HEADER__BODY_FINISH
      header.pointee.finish = finish
    case .refused(let refusal):
      header.pointee.body_case = MRDIB__V1__CONTROL_HEADER__BODY_REFUSED
      header.pointee.refused = arena.refusal(refusal)
    case .hold(let generation):
      let hold = arena.make(mrdib__v1__hold__init)
      hold.pointee.generation = generation
      header.pointee.body_case = MRDIB__V1__CONTROL_HEADER__BODY_HOLD
      header.pointee.hold = hold
    case .checkpoint(let generation, let version):
      let checkpoint = arena.make(mrdib__v1__checkpoint__init)
      checkpoint.pointee.generation = generation
      checkpoint.pointee.version = version
      header.pointee.body_case = MRDIB__V1__CONTROL_HEADER__BODY_CHECKPOINT
      header.pointee.checkpoint = checkpoint
    case .checkpointAcknowledged(let generation, let version):
      let seen = arena.make(mrdib__v1__checkpoint_seen__init)
      seen.pointee.generation = generation
      seen.pointee.version = version
      header.pointee.body_case = MRDIB__V1__CONTROL_HEADER__BODY_CHECKPOINT_SEEN
      header.pointee.checkpoint_seen = seen
    case .checkpointCommitted(let manifest, let content):
      let committed = arena.make(mrdib__v1__checkpoint_committed__init)
      committed.pointee.manifest = arena.string(manifest)
      committed.pointee.content = arena.string(content)
      header.pointee.body_case = MRDIB__V1__CONTROL_HEADER__BODY_CHECKPOINT_COMMITTED
      header.pointee.checkpoint_committed = committed
    case .inspect(let question):
      header.pointee.body_case = MRDIB__V1__CONTROL_HEADER__BODY_INSPECT
      header.pointee.inspect = arena.inspect(question)
    }
    return WireMessage(frames: [arena.pack(header)])
  }
}

extension HeaderArena {
  fileprivate mutating func welcome(
    _ welcome: Welcome
  ) -> UnsafeMutablePointer<Mrdib__V1__Welcome> {
    let wire = make(mrdib__v1__welcome__init)
    wire.pointee.run_id = string(welcome.runID)
    wire.pointee.generation = welcome.generation
    wire.pointee.rank = welcome.rank
    wire.pointee.configuration = string(welcome.configuration)
    wire.pointee.n_tables = welcome.tables.count
    wire.pointee.tables = tables(welcome.tables)
    wire.pointee.seed = welcome.seed
    wire.pointee.shard_count = welcome.shardCount
    wire.pointee.steps_per_epoch = welcome.stepsPerEpoch
    wire.pointee.rounds_per_step = welcome.roundsPerStep
    wire.pointee.server_count = welcome.serverCount
    wire.pointee.heartbeat_interval_seconds = welcome.heartbeatInterval
    if let plan = welcome.checkpoints {
      wire.pointee.checkpoint_folder = string(plan.folder)
      wire.pointee.checkpoint_interval = plan.interval
      wire.pointee.checkpoint_copies = plan.copies
    }
    if let restored = welcome.restored {
      wire.pointee.restored_manifest = string(restored.manifest)
      wire.pointee.restored_version = restored.version
      wire.pointee.restored_content = string(restored.content)
    }
    return wire
  }

  private mutating func tables(
    _ tables: [TableDescription]
  ) -> UnsafeMutablePointer<UnsafeMutablePointer<Mrdib__V1__TableDescription>?> {
    list(tables, of: mrdib__v1__table_description__init) { table, wire, arena in
      wire.name = arena.string(table.name)
      wire.rows = table.rows
      wire.width = table.width
      wire.rows_per_block = table.rowsPerBlock
      wire.initializer = arena.string(table.initializer)
      wire.initializer_value = table.initializerValue
      wire.rule = arena.string(table.rule)
      wire.rule_value = table.ruleValue
    }
  }

  fileprivate mutating func task(_ task: WorkerTask) -> UnsafeMutablePointer<Mrdib__V1__Task> {
    let wire = make(mrdib__v1__task__init)
    wire.pointee.id = task.id
    wire.pointee.generation = task.generation
    switch task.body {
    case .train(let epoch, let firstVersion, let startVersion, let shards):
      let train = make(mrdib__v1__train__init)
      train.pointee.epoch = epoch
      train.pointee.first_version = firstVersion
      train.pointee.start_version = startVersion
      train.pointee.n_shards = shards.count
      train.pointee.shards = array(shards)
      wire.pointee.body_case = MRDIB__V1__TASK__BODY_TRAIN
      wire.pointee.train = train
    case .materialize(let version, let epoch, let blocks):
      let materialize = make(mrdib__v1__materialize__init)
      materialize.pointee.version = version
      materialize.pointee.epoch = epoch
      materialize.pointee.n_blocks = blocks.count
      materialize.pointee.blocks = array(blocks)
      wire.pointee.body_case = MRDIB__V1__TASK__BODY_MATERIALIZE
      wire.pointee.materialize = materialize
    case .rank(let version, let epoch, let blocks):
      let rank = make(mrdib__v1__rank__init)
      rank.pointee.version = version
      rank.pointee.epoch = epoch
      rank.pointee.n_blocks = blocks.count
      rank.pointee.blocks = array(blocks)
      wire.pointee.body_case = MRDIB__V1__TASK__BODY_RANK
      wire.pointee.rank = rank
    }
    return wire
  }
}

extension CoordinatorEnvelope {
  /// Decodes a message of the coordinator.
  ///
  /// - Throws: ``WireError`` when the message has another protocol version, exceeds `limits`, or is
  ///   inconsistent.
  package init(
    decoding message: WireMessage, limits: WireLimits = .standard
  ) throws(WireError) {
    let reader = WireReader(limits: limits, subject: "a message of the coordinator")
    try reader.checkFrameCount(message, is: 1)
    let header = try UnpackedHeader<Mrdib__V1__ControlHeader>.parsing(
      message.frames[0], reader: reader)
    self.init(
      term: try reader.number(header.value.term, "term", upTo: limits.generations),
      message: try reader.coordinatorMessage(header.value))
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
      return .servers(
        generation: try generation(servers.generation), endpoints: try endpoints(servers))
    case MRDIB__V1__CONTROL_HEADER__BODY_TASK:
      return .task(try task(try required(header.task, "task")))
    case MRDIB__V1__CONTROL_HEADER__BODY_HEARTBEAT_SEEN:
      let seen = try required(header.heartbeat_seen, "heartbeat")
      return .heartbeatAcknowledged(generation: try generation(seen.generation))
    case MRDIB__V1__CONTROL_HEADER__BODY_FINISH:
      let finish = try required(header.finish, "finish")
      guard let ending = RunEnding(rawValue: finish.ending) else {
        throw malformed("a run ended in the unknown way \(finish.ending)")
      }
      return .finish(reason: try text(finish.reason, "reason"), ending: ending)
    case MRDIB__V1__CONTROL_HEADER__BODY_REFUSED:
      return .refused(try refusal(header.refused))
    case MRDIB__V1__CONTROL_HEADER__BODY_HOLD:
      return .hold(generation: try generation(required(header.hold, "hold").generation))
    case MRDIB__V1__CONTROL_HEADER__BODY_CHECKPOINT:
      let checkpoint = try required(header.checkpoint, "checkpoint")
      return .checkpoint(
        generation: try generation(checkpoint.generation),
        version: try version(checkpoint.version))
    case MRDIB__V1__CONTROL_HEADER__BODY_CHECKPOINT_SEEN:
      let seen = try required(header.checkpoint_seen, "checkpoint")
      return .checkpointAcknowledged(
        generation: try generation(seen.generation), version: try version(seen.version))
    case MRDIB__V1__CONTROL_HEADER__BODY_CHECKPOINT_COMMITTED:
      let committed = try required(header.checkpoint_committed, "checkpoint")
      return .checkpointCommitted(
        manifest: try text(committed.manifest, "manifest"),
        content: try string(
          committed.content, atMost: limits.configurationBytes, "text of a manifest"))
    case MRDIB__V1__CONTROL_HEADER__BODY_INSPECT:
      return .inspect(try diskQuestion(try required(header.inspect, "question")))
    default:
      throw malformed("it is not a message that a coordinator sends")
    }
  }

  private func endpoints(_ wire: Mrdib__V1__Servers) throws(WireError) -> [String] {
    try list(
      wire.endpoints, count: wire.n_endpoints, atMost: limits.members, "server endpoints"
    ) { (endpoint) throws(WireError) in
      try text(endpoint, "server endpoint")
    }
  }

  private func welcome(_ wire: Mrdib__V1__Welcome) throws(WireError) -> Welcome {
    Welcome(
      runID: try text(wire.run_id, "run id"), generation: try generation(wire.generation),
      rank: try rank(wire.rank),
      configuration: try string(
        wire.configuration, atMost: limits.configurationBytes, "configuration"),
      tables: try tables(wire), seed: wire.seed,
      shardCount: try number(wire.shard_count, "number of shards", from: 1, upTo: limits.shards),
      stepsPerEpoch: try number(
        wire.steps_per_epoch, "number of steps per epoch", from: 1, upTo: limits.versions),
      roundsPerStep: try number(
        wire.rounds_per_step, "number of rounds per step", from: 1, upTo: limits.roundsPerStep),
      serverCount: try number(
        wire.server_count, "number of servers", from: 1, upTo: limits.members),
      heartbeatInterval: try seconds(
        wire.heartbeat_interval_seconds, "heartbeat interval", upTo: limits.heartbeatInterval),
      checkpoints: try checkpoints(wire), restored: try restored(wire))
  }

  private func checkpoints(_ wire: Mrdib__V1__Welcome) throws(WireError) -> CheckpointPlan? {
    let folder = try text(wire.checkpoint_folder, "checkpoint folder")
    return folder.isEmpty
      ? nil
      : CheckpointPlan(
        folder: folder,
        interval: try quantity(wire.checkpoint_interval, "number of versions per checkpoint"),
        copies: max(1, try number(wire.checkpoint_copies, "number of copies", upTo: 2)))
  }

  private func restored(_ wire: Mrdib__V1__Welcome) throws(WireError) -> RestoredCheckpoint? {
    let manifest = try text(wire.restored_manifest, "manifest")
    return manifest.isEmpty
      ? nil
      : RestoredCheckpoint(
        manifest: manifest, version: try version(wire.restored_version, "restored version"),
        content: try string(
          wire.restored_content, atMost: limits.configurationBytes, "text of a manifest"))
  }

  private func tables(_ wire: Mrdib__V1__Welcome) throws(WireError) -> [TableDescription] {
    try list(
      wire.tables, count: wire.n_tables, atMost: limits.sections, "tables"
    ) { (table) throws(WireError) in
      try self.table(table.pointee)
    }
  }

  private func table(_ wire: Mrdib__V1__TableDescription) throws(WireError) -> TableDescription {
    TableDescription(
      name: try string(wire.name, atMost: limits.tableNameBytes, "table name"),
      rows: try number(wire.rows, "number of rows of a table", from: 1, upTo: limits.rows),
      width: try number(wire.width, "width of a table", from: 1, upTo: limits.rowWidth),
      rowsPerBlock: try number(
        wire.rows_per_block, "number of rows per block", from: 1, upTo: limits.rows),
      initializer: try text(wire.initializer, "initializer"),
      initializerValue: try finite(wire.initializer_value, "initializer's value"),
      rule: try text(wire.rule, "update rule"),
      ruleValue: try finite(wire.rule_value, "update rule's value"))
  }

  private func task(_ wire: Mrdib__V1__Task) throws(WireError) -> WorkerTask {
    WorkerTask(
      id: wire.id, generation: try generation(wire.generation), body: try taskBody(wire))
  }

  private func taskBody(_ wire: Mrdib__V1__Task) throws(WireError) -> TaskBody {
    switch wire.body_case {
    case MRDIB__V1__TASK__BODY_TRAIN:
      let train = try required(wire.train, "training task")
      return .train(
        epoch: try epochOrBlock(train.epoch, "epoch"),
        firstVersion: try version(train.first_version, "first version"),
        startVersion: try version(train.start_version, "start version"),
        shards: try numbers(
          train.shards, count: train.n_shards, atMost: limits.units, "shards",
          upTo: limits.shards - 1))
    case MRDIB__V1__TASK__BODY_MATERIALIZE:
      let materialize = try required(wire.materialize, "materialisation task")
      return .materialize(
        version: try version(materialize.version),
        epoch: try epochOrBlock(materialize.epoch, "epoch"),
        blocks: try blocks(materialize.blocks, count: materialize.n_blocks))
    case MRDIB__V1__TASK__BODY_RANK:
      let rank = try required(wire.rank, "ranking task")
      return .rank(
        version: try version(rank.version), epoch: try epochOrBlock(rank.epoch, "epoch"),
        blocks: try blocks(rank.blocks, count: rank.n_blocks))
    default:
      throw malformed("it assigns a task of a kind that this program does not know")
    }
  }

  private func blocks(
    _ pointer: UnsafeMutablePointer<UInt32>?, count: Int
  ) throws(WireError) -> [UInt32] {
    try numbers(
      pointer, count: count, atMost: limits.units, "blocks", upTo: limits.epochsAndBlocks)
  }
}
