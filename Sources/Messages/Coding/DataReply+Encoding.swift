internal import CWireMessages

extension DataReply {
  /// The frames of the reply: a header, and for pulled rows an empty keys frame and their values.
  public func encoded() -> WireMessage {
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
    case .reduced(let values):
      let reduced = arena.make(mrdib__v1__reduced__init)
      reduced.pointee.n_values = values.count
      reduced.pointee.values = arena.array(values)
      header.pointee.body_case = MRDIB__V1__DATA_HEADER__BODY_REDUCED
      header.pointee.reduced = reduced
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
