internal import CWireMessages

extension DataReply {
  /// The frames of the reply: a header, and for replies with rows their keys (none for pulled
  /// rows) and values.
  package func encoded() -> WireMessage {
    var arena = HeaderArena()
    let header = arena.make(mrdib__v1__data_header__init)
    header.pointee.protocol_version = ProtocolVersion.current
    header.pointee.id = requestID
    var payloads: [Payload] = []
    switch body {
    case .welcome:
      header.pointee.body_case = MRDIB__V1__DATA_HEADER__BODY_WELCOME
      header.pointee.welcome = arena.make(mrdib__v1__data_welcome__init)
    case .pulled(let pulled):
      header.pointee.body_case = MRDIB__V1__DATA_HEADER__BODY_PULLED
      header.pointee.pulled = arena.pulled(pulled)
      payloads = [.empty, pulled.values]
    case .pushed(let outcome):
      let pushed = arena.make(mrdib__v1__pushed__init)
      pushed.pointee.outcome = Mrdib__V1__PushOutcome(rawValue: outcome.rawValue)
      header.pointee.body_case = MRDIB__V1__DATA_HEADER__BODY_PUSHED
      header.pointee.pushed = pushed
    case .reduced(let sums):
      let reduced = arena.make(mrdib__v1__reduced__init)
      reduced.pointee.n_values = sums.values.count
      reduced.pointee.values = arena.array(sums.values)
      reduced.pointee.n_sections = sums.rows.sections.count
      reduced.pointee.sections = arena.sections(sums.rows.sections)
      header.pointee.body_case = MRDIB__V1__DATA_HEADER__BODY_REDUCED
      header.pointee.reduced = reduced
      payloads = [sums.rows.keys, sums.rows.values]
    case .copied(let copied):
      let wire = arena.make(mrdib__v1__copied__init)
      wire.pointee.is_complete = copied.isComplete ? 1 : 0
      header.pointee.body_case = MRDIB__V1__DATA_HEADER__BODY_COPIED
      header.pointee.copied = wire
      payloads = [copied.bytes]
    case .refused(let refusal):
      header.pointee.body_case = MRDIB__V1__DATA_HEADER__BODY_REFUSED
      header.pointee.refused = arena.refusal(refusal)
    }
    return WireMessage(frames: [arena.pack(header)] + payloads)
  }
}

extension HeaderArena {
  fileprivate mutating func pulled(
    _ pulled: PullReply
  ) -> UnsafeMutablePointer<Mrdib__V1__Pulled> {
    let wire = make(mrdib__v1__pulled__init)
    wire.pointee.version = pulled.version
    wire.pointee.n_sections = pulled.sections.count
    wire.pointee.sections = sections(pulled.sections)
    wire.pointee.n_reports = pulled.reports.count
    wire.pointee.reports = reports(pulled.reports)
    return wire
  }
}

extension DataReply {
  /// Decodes a reply. Payload frames stay shared with `message`.
  ///
  /// - Throws: ``WireError`` when the message has another protocol version, exceeds `limits`, or is
  ///   inconsistent.
  package init(
    decoding message: WireMessage, limits: WireLimits = .standard
  ) throws(WireError) {
    let reader = WireReader(limits: limits, subject: "a data reply")
    let header = try UnpackedHeader<Mrdib__V1__DataHeader>.parsing(
      message.frames[0], reader: reader)
    do {
      self.init(requestID: header.value.id, body: try reader.body(header.value, message))
    } catch {
      throw error.ofRequest(header.value.id)
    }
  }
}

extension WireReader {
  fileprivate func body(
    _ header: Mrdib__V1__DataHeader, _ message: WireMessage
  ) throws(WireError) -> DataReplyBody {
    let hasRows =
      header.body_case == MRDIB__V1__DATA_HEADER__BODY_PULLED
      || header.body_case == MRDIB__V1__DATA_HEADER__BODY_REDUCED
    let hasBytes = header.body_case == MRDIB__V1__DATA_HEADER__BODY_COPIED
    try checkFrameCount(message, is: hasRows ? 3 : hasBytes ? 2 : 1)
    switch header.body_case {
    case MRDIB__V1__DATA_HEADER__BODY_COPIED:
      let copied = try required(header.copied, "answer about a file")
      try checkPiece(message.frames[1])
      return .copied(
        CopyReply(isComplete: copied.is_complete != 0, bytes: message.frames[1]))
    case MRDIB__V1__DATA_HEADER__BODY_WELCOME:
      return .welcome
    case MRDIB__V1__DATA_HEADER__BODY_PULLED:
      return .pulled(try pulled(try required(header.pulled, "rows"), message))
    case MRDIB__V1__DATA_HEADER__BODY_PUSHED:
      let pushed = try required(header.pushed, "outcome")
      return .pushed(try enumeration(pushed.outcome.rawValue, "push outcome"))
    case MRDIB__V1__DATA_HEADER__BODY_REDUCED:
      let reduced = try required(header.reduced, "sums")
      return .reduced(
        ReduceReply(
          values: try numbers(
            reduced.values, count: reduced.n_values, atMost: limits.reduceValues, "values"),
          rows: try gradientRows(reduced.sections, count: reduced.n_sections, message)))
    case MRDIB__V1__DATA_HEADER__BODY_REFUSED:
      return .refused(try refusal(header.refused))
    default:
      throw malformed("it is not a reply that a server sends")
    }
  }

  private func pulled(
    _ wire: Mrdib__V1__Pulled, _ message: WireMessage
  ) throws(WireError) -> PullReply {
    let sections = try sections(wire.sections, count: wire.n_sections)
    try checkByteCount(message.frames[1], is: 0, "keys")
    try checkByteCount(message.frames[2], is: try valueByteCount(sections), "values")
    return PullReply(
      version: try version(wire.version), sections: sections, values: message.frames[2],
      reports: try reports(wire.reports, count: wire.n_reports))
  }
}
