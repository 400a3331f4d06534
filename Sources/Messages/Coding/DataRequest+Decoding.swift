internal import CWireMessages

extension DataRequest {
  /// Reads a request. Payload frames stay shared with `message`; that the keys of a section ascend
  /// and exist is for the server to check.
  ///
  /// - Throws: ``WireError`` when the message is of another protocol version, holds more than
  ///   `limits`, or contradicts itself.
  public init(
    decoding message: WireMessage, limits: WireLimits = .standard
  ) throws(WireError) {
    let reader = WireReader(limits: limits, subject: "a data request")
    let header = try UnpackedHeader<Mrdib__V1__DataHeader>.parsing(
      message.frames[0], reader: reader)
    do {
      self.init(id: header.value.id, body: try reader.body(header.value, message))
    } catch {
      throw error.ofRequest(header.value.id)
    }
  }
}

extension WireReader {
  fileprivate func body(
    _ header: Mrdib__V1__DataHeader, _ message: WireMessage
  ) throws(WireError) -> DataRequestBody {
    switch header.body_case {
    case MRDIB__V1__DATA_HEADER__BODY_HELLO:
      try checkFrameCount(message, is: 1)
      return .hello(try hello(try required(header.hello, "hello")))
    case MRDIB__V1__DATA_HEADER__BODY_PULL:
      try checkFrameCount(message, is: 3)
      return .pull(try pull(try required(header.pull, "pull"), message))
    case MRDIB__V1__DATA_HEADER__BODY_PUSH:
      try checkFrameCount(message, is: 3)
      return .push(try push(try required(header.push, "push"), message))
    case MRDIB__V1__DATA_HEADER__BODY_REDUCE:
      try checkFrameCount(message, is: 1)
      return .reduce(try reduce(try required(header.reduce, "reduction")))
    default:
      throw malformed("it asks for nothing that a server does")
    }
  }

  private func hello(_ wire: Mrdib__V1__DataHello) throws(WireError) -> DataHello {
    DataHello(
      runID: try text(wire.run_id, "run id"), generation: try generation(wire.generation),
      sender: try text(wire.sender, "sender"))
  }

  private func pull(
    _ wire: Mrdib__V1__Pull, _ message: WireMessage
  ) throws(WireError) -> PullRequest {
    let sections = try sections(wire.sections, count: wire.n_sections)
    try checkByteCount(message.frames[1], is: try keyByteCount(sections), "keys")
    try checkByteCount(message.frames[2], is: 0, "values")
    return PullRequest(
      generation: try generation(wire.generation), version: try version(wire.version),
      sections: sections, keys: message.frames[1],
      confirmed: try numbers(
        wire.confirmed, count: wire.n_confirmed, atMost: limits.units, "confirmed shards",
        upTo: limits.shards - 1),
      wantsReports: wire.wants_reports != 0)
  }

  private func push(
    _ wire: Mrdib__V1__Push, _ message: WireMessage
  ) throws(WireError) -> PushRequest {
    let sections = try sections(wire.sections, count: wire.n_sections)
    try checkByteCount(message.frames[1], is: try keyByteCount(sections), "keys")
    try checkByteCount(message.frames[2], is: try valueByteCount(sections), "values")
    return PushRequest(
      name: try name(wire.name), kind: try enumeration(wire.kind.rawValue, "push kind"),
      sections: sections, keys: message.frames[1], values: message.frames[2],
      sums: try sums(wire.sums, count: wire.n_sums, of: "a push"))
  }

  private func reduce(_ wire: Mrdib__V1__Reduce) throws(WireError) -> ReduceRequest {
    ReduceRequest(
      name: try name(wire.name),
      values: try numbers(
        wire.values, count: wire.n_values, atMost: limits.reduceValues, "values"))
  }
}

extension WireError {
  /// The same error, with the number of the request that it is about.
  func ofRequest(_ id: UInt64) -> WireError {
    var error = self
    error.requestID = id
    return error
  }
}
