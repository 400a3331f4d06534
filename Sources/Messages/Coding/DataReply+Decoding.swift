internal import CWireMessages

extension DataReply {
  /// Reads a reply. Payload frames stay shared with `message`.
  ///
  /// - Throws: ``WireError`` when the message is of another protocol version, holds more than
  ///   `limits`, or contradicts itself.
  public init(
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
    if header.body_case == MRDIB__V1__DATA_HEADER__BODY_PULLED {
      try checkFrameCount(message, is: 3)
      return .pulled(try pulled(try required(header.pulled, "rows"), message))
    }
    try checkFrameCount(message, is: 1)
    switch header.body_case {
    case MRDIB__V1__DATA_HEADER__BODY_WELCOME:
      return .welcome
    case MRDIB__V1__DATA_HEADER__BODY_PUSHED:
      let pushed = try required(header.pushed, "outcome")
      return .pushed(try enumeration(pushed.outcome.rawValue, "push outcome"))
    case MRDIB__V1__DATA_HEADER__BODY_REDUCED:
      let reduced = try required(header.reduced, "sums")
      return .reduced(
        try numbers(
          reduced.values, count: reduced.n_values, atMost: limits.reduceValues, "values"))
    case MRDIB__V1__DATA_HEADER__BODY_REFUSED:
      return .refused(try refusal(header.refused))
    default:
      throw malformed("it is no answer that a server gives")
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
