internal import CWireMessages

extension NodeMessage {
  /// The message's one frame.
  package func encoded() -> WireMessage {
    var arena = HeaderArena()
    let header = arena.make(mrdib__v1__control_header__init)
    header.pointee.protocol_version = ProtocolVersion.current
    switch self {
    case .hello(let hello):
      header.pointee.body_case = MRDIB__V1__CONTROL_HEADER__BODY_HELLO
      header.pointee.hello = arena.hello(hello)
    case .heartbeat(let heartbeat):
      header.pointee.body_case = MRDIB__V1__CONTROL_HEADER__BODY_HEARTBEAT
      header.pointee.heartbeat = arena.heartbeat(heartbeat)
    case .ready(let generation):
      let ready = arena.make(mrdib__v1__node_ready__init)
      ready.pointee.generation = generation
      header.pointee.body_case = MRDIB__V1__CONTROL_HEADER__BODY_READY
      header.pointee.ready = ready
    case .taskDone(let id, let reports):
      header.pointee.body_case = MRDIB__V1__CONTROL_HEADER__BODY_TASK_DONE
      header.pointee.task_done = arena.taskDone(id: id, reports)
    case .taskFailed(let id, let failure):
      let failed = arena.make(mrdib__v1__task_failed__init)
      failed.pointee.id = id
      failed.pointee.message = arena.sentence(failure.message)
      failed.pointee.kind = failure.kind.rawValue
      header.pointee.body_case = MRDIB__V1__CONTROL_HEADER__BODY_TASK_FAILED
      header.pointee.task_failed = failed
    case .goodbye(let reason):
      let goodbye = arena.make(mrdib__v1__goodbye__init)
      goodbye.pointee.reason = arena.sentence(reason)
      header.pointee.body_case = MRDIB__V1__CONTROL_HEADER__BODY_GOODBYE
      header.pointee.goodbye = goodbye
    case .held(let generation, let version):
      let held = arena.make(mrdib__v1__held__init)
      held.pointee.generation = generation
      held.pointee.version = version
      header.pointee.body_case = MRDIB__V1__CONTROL_HEADER__BODY_HELD
      header.pointee.held = held
    case .checkpointWritten(let shard):
      header.pointee.body_case = MRDIB__V1__CONTROL_HEADER__BODY_CHECKPOINT_WRITTEN
      header.pointee.checkpoint_written = arena.checkpointShard(shard)
    case .checkpointFailed(let generation, let version, let message):
      let failed = arena.make(mrdib__v1__checkpoint_failed__init)
      failed.pointee.generation = generation
      failed.pointee.version = version
      failed.pointee.message = arena.sentence(message)
      header.pointee.body_case = MRDIB__V1__CONTROL_HEADER__BODY_CHECKPOINT_FAILED
      header.pointee.checkpoint_failed = failed
    case .inspected(let report):
      header.pointee.body_case = MRDIB__V1__CONTROL_HEADER__BODY_INSPECTED
      header.pointee.inspected = arena.inspected(report)
    }
    return WireMessage(frames: [arena.pack(header)])
  }
}

extension HeaderArena {
  fileprivate mutating func hello(
    _ hello: NodeHello
  ) -> UnsafeMutablePointer<Mrdib__V1__NodeHello> {
    let wire = make(mrdib__v1__node_hello__init)
    wire.pointee.role = Mrdib__V1__NodeRole(rawValue: hello.role.rawValue)
    wire.pointee.incarnation = hello.incarnation
    wire.pointee.run_id = string(hello.runID)
    wire.pointee.data_endpoint = string(hello.dataEndpoint)
    wire.pointee.host = string(hello.host)
    wire.pointee.process_id = hello.processID
    wire.pointee.name = string(hello.name)
    wire.pointee.kernels = string(hello.kernels)
    if let holding = hello.holding {
      let held = make(mrdib__v1__held_state__init)
      held.pointee.generation = holding.generation
      held.pointee.rank = holding.rank
      held.pointee.version = holding.version
      wire.pointee.holding = held
    }
    return wire
  }

  fileprivate mutating func checkpointShard(
    _ shard: CheckpointShard
  ) -> UnsafeMutablePointer<Mrdib__V1__CheckpointWritten> {
    let wire = make(mrdib__v1__checkpoint_written__init)
    wire.pointee.generation = shard.generation
    wire.pointee.version = shard.version
    wire.pointee.rank = shard.rank
    wire.pointee.file = string(shard.file)
    wire.pointee.byte_count = shard.byteCount
    wire.pointee.digest = string(shard.digest)
    return wire
  }

  fileprivate mutating func heartbeat(
    _ heartbeat: Heartbeat
  ) -> UnsafeMutablePointer<Mrdib__V1__Heartbeat> {
    let wire = make(mrdib__v1__heartbeat__init)
    wire.pointee.resident_bytes = heartbeat.residentBytes
    wire.pointee.peak_resident_bytes = heartbeat.peakResidentBytes
    wire.pointee.cpu_seconds = heartbeat.cpuSeconds
    wire.pointee.task_progress = heartbeat.taskProgress
    wire.pointee.task_id = heartbeat.taskID
    wire.pointee.generation = heartbeat.generation
    wire.pointee.version = heartbeat.version
    return wire
  }

  fileprivate mutating func taskDone(
    id: UInt64, _ reports: [UnitReport]
  ) -> UnsafeMutablePointer<Mrdib__V1__TaskDone> {
    let wire = make(mrdib__v1__task_done__init)
    wire.pointee.id = id
    wire.pointee.n_reports = reports.count
    wire.pointee.reports = self.reports(reports)
    return wire
  }
}

extension NodeMessage {
  /// Decodes a message of a node.
  ///
  /// - Throws: ``WireError`` when the message has another protocol version, exceeds `limits`, or is
  ///   inconsistent.
  package init(
    decoding message: WireMessage, limits: WireLimits = .standard
  ) throws(WireError) {
    let reader = WireReader(limits: limits, subject: "a message of a node")
    try reader.checkFrameCount(message, is: 1)
    let header = try UnpackedHeader<Mrdib__V1__ControlHeader>.parsing(
      message.frames[0], reader: reader)
    self = try reader.nodeMessage(header.value)
  }
}

extension WireReader {
  fileprivate func nodeMessage(
    _ header: Mrdib__V1__ControlHeader
  ) throws(WireError) -> NodeMessage {
    switch header.body_case {
    case MRDIB__V1__CONTROL_HEADER__BODY_HELLO:
      return .hello(try hello(try required(header.hello, "hello")))
    case MRDIB__V1__CONTROL_HEADER__BODY_HEARTBEAT:
      return .heartbeat(try heartbeat(try required(header.heartbeat, "heartbeat")))
    case MRDIB__V1__CONTROL_HEADER__BODY_READY:
      return .ready(generation: try generation(required(header.ready, "generation").generation))
    case MRDIB__V1__CONTROL_HEADER__BODY_TASK_DONE:
      let done = try required(header.task_done, "result")
      return .taskDone(id: done.id, reports: try reports(done.reports, count: done.n_reports))
    case MRDIB__V1__CONTROL_HEADER__BODY_TASK_FAILED:
      let failed = try required(header.task_failed, "failure")
      guard let kind = TaskFailure.Kind(rawValue: failed.kind) else {
        throw malformed("a failed task has the unknown kind \(failed.kind)")
      }
      return .taskFailed(
        id: failed.id, TaskFailure(kind, try text(failed.message, "failure message")))
    case MRDIB__V1__CONTROL_HEADER__BODY_GOODBYE:
      let goodbye = try required(header.goodbye, "goodbye")
      return .goodbye(reason: try text(goodbye.reason, "reason"))
    case MRDIB__V1__CONTROL_HEADER__BODY_HELD:
      let held = try required(header.held, "version")
      return .held(
        generation: try generation(held.generation), version: try version(held.version))
    case MRDIB__V1__CONTROL_HEADER__BODY_CHECKPOINT_WRITTEN:
      return .checkpointWritten(
        try checkpointShard(try required(header.checkpoint_written, "checkpoint")))
    case MRDIB__V1__CONTROL_HEADER__BODY_CHECKPOINT_FAILED:
      let failed = try required(header.checkpoint_failed, "failure")
      return .checkpointFailed(
        generation: try generation(failed.generation), version: try version(failed.version),
        message: try text(failed.message, "failure message"))
    case MRDIB__V1__CONTROL_HEADER__BODY_INSPECTED:
      return .inspected(try diskReport(try required(header.inspected, "report")))
    default:
      throw malformed("it is not a message that a node sends")
    }
  }

  private func hello(_ wire: Mrdib__V1__NodeHello) throws(WireError) -> NodeHello {
    NodeHello(
      role: try enumeration(wire.role.rawValue, "role"), incarnation: wire.incarnation,
      runID: try text(wire.run_id, "run id"),
      dataEndpoint: try text(wire.data_endpoint, "data endpoint"),
      host: try text(wire.host, "host"),
      processID: try number(wire.process_id, "process id", upTo: Int32.max),
      name: try text(wire.name, "name"), holding: try holding(wire.holding),
      kernels: try text(wire.kernels, "kernels"))
  }

  private func heartbeat(_ wire: Mrdib__V1__Heartbeat) throws(WireError) -> Heartbeat {
    Heartbeat(
      residentBytes: try quantity(wire.resident_bytes, "number of bytes of memory"),
      peakResidentBytes: try quantity(wire.peak_resident_bytes, "highest number of bytes"),
      cpuSeconds: try finite(wire.cpu_seconds, "processor time"),
      taskProgress: try quantity(wire.task_progress, "progress"), taskID: wire.task_id,
      generation: try generation(wire.generation), version: try version(wire.version))
  }

  private func holding(
    _ pointer: UnsafeMutablePointer<Mrdib__V1__HeldState>?
  ) throws(WireError) -> HeldState? {
    guard let wire = pointer?.pointee else { return nil }
    return HeldState(
      generation: try generation(wire.generation), rank: try rank(wire.rank),
      version: try version(wire.version))
  }

  private func checkpointShard(
    _ wire: Mrdib__V1__CheckpointWritten
  ) throws(WireError) -> CheckpointShard {
    CheckpointShard(
      generation: try generation(wire.generation), version: try version(wire.version),
      rank: try rank(wire.rank), file: try text(wire.file, "file name"),
      byteCount: try quantity(wire.byte_count, "number of bytes of a file"),
      digest: try text(wire.digest, "digest"))
  }
}
