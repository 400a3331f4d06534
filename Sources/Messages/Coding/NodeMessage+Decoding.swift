internal import CWireMessages

extension NodeMessage {
  /// Reads what a node says.
  ///
  /// - Throws: ``WireError`` when the message is of another protocol version, holds more than
  ///   `limits`, or contradicts itself.
  public init(
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
    default:
      throw malformed("it says nothing that a node says")
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
    _ pointer: UnsafeMutablePointer<Mrdib__V1__Holding>?
  ) throws(WireError) -> Holding? {
    guard let wire = pointer?.pointee else { return nil }
    return Holding(
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
