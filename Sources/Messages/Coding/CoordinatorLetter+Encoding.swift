internal import CWireMessages

extension CoordinatorLetter {
  /// The message's one frame.
  public func encoded() -> WireMessage {
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
    case .heartbeatSeen(let generation):
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
    case .checkpointSeen(let generation, let version):
      let seen = arena.make(mrdib__v1__checkpoint_seen__init)
      seen.pointee.generation = generation
      seen.pointee.version = version
      header.pointee.body_case = MRDIB__V1__CONTROL_HEADER__BODY_CHECKPOINT_SEEN
      header.pointee.checkpoint_seen = seen
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
    }
    if let restored = welcome.restored {
      wire.pointee.restored_manifest = string(restored.manifest)
      wire.pointee.restored_version = restored.version
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
