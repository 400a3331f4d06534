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
      return .heartbeat(heartbeat(try required(header.heartbeat, "heartbeat")))
    case MRDIB__V1__CONTROL_HEADER__BODY_READY:
      return .ready
    case MRDIB__V1__CONTROL_HEADER__BODY_TASK_DONE:
      let done = try required(header.task_done, "result")
      return .taskDone(id: done.id, reports: try reports(done))
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
    default:
      throw malformed("it says nothing that a node says")
    }
  }

  private func hello(_ wire: Mrdib__V1__NodeHello) throws(WireError) -> NodeHello {
    NodeHello(
      role: try enumeration(wire.role.rawValue, "role"), incarnation: wire.incarnation,
      runID: try text(wire.run_id, "run id"),
      dataEndpoint: try text(wire.data_endpoint, "data endpoint"),
      host: try text(wire.host, "host"), processID: wire.process_id)
  }

  private func heartbeat(_ wire: Mrdib__V1__Heartbeat) -> Heartbeat {
    Heartbeat(
      residentBytes: wire.resident_bytes, peakResidentBytes: wire.peak_resident_bytes,
      cpuSeconds: wire.cpu_seconds, taskProgress: wire.task_progress,
      taskID: wire.task_id)
  }

  private func reports(_ wire: Mrdib__V1__TaskDone) throws(WireError) -> [UnitReport] {
    try list(
      wire.reports, count: wire.n_reports, atMost: limits.unitReports, "unit reports"
    ) { (report) throws(WireError) in
      UnitReport(unit: report.pointee.unit, sums: try sums(report.pointee))
    }
  }

  private func sums(_ wire: Mrdib__V1__UnitReport) throws(WireError) -> [String: Double] {
    let pairs = try list(
      wire.sums, count: wire.n_sums, atMost: limits.sumsPerReport, "sums in a unit report"
    ) { (sum) throws(WireError) in
      (name: try text(sum.pointee.name, "name of a sum"), value: sum.pointee.value)
    }
    var sums: [String: Double] = [:]
    sums.reserveCapacity(pairs.count)
    for (name, value) in pairs {
      guard sums.updateValue(value, forKey: name) == nil else {
        throw malformed("it reports '\(name)' of unit \(wire.unit) twice")
      }
    }
    return sums
  }
}
