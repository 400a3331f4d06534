internal import CWireMessages

extension NodeMessage {
  /// The message's one frame.
  public func encoded() -> WireMessage {
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
    case .ready:
      header.pointee.body_case = MRDIB__V1__CONTROL_HEADER__BODY_READY
      header.pointee.ready = arena.make(mrdib__v1__node_ready__init)
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
    return wire
  }

  fileprivate mutating func taskDone(
    id: UInt64, _ reports: [UnitReport]
  ) -> UnsafeMutablePointer<Mrdib__V1__TaskDone> {
    let wire = make(mrdib__v1__task_done__init)
    wire.pointee.id = id
    wire.pointee.n_reports = reports.count
    wire.pointee.reports = list(reports, of: mrdib__v1__unit_report__init) { report, wire, arena in
      // Ascending, so that equal reports are equal bytes.
      let sums = report.sums.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      wire.unit = report.unit
      wire.n_sums = sums.count
      wire.sums = arena.list(sums, of: mrdib__v1__named_sum__init) { sum, wire, arena in
        wire.name = arena.string(sum.key)
        wire.value = sum.value
      }
    }
    return wire
  }
}
