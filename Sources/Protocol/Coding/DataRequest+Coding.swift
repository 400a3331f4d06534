internal import CWireMessages

extension DataRequest {
  /// The frames of the request: a header, and for requests with rows their keys and values.
  package func encoded() -> WireMessage {
    var arena = HeaderArena()
    let header = arena.make(mrdib__v1__data_header__init)
    header.pointee.protocol_version = ProtocolVersion.current
    header.pointee.id = id
    var payloads: [Payload] = []
    switch body {
    case .hello(let hello):
      header.pointee.body_case = MRDIB__V1__DATA_HEADER__BODY_HELLO
      header.pointee.hello = arena.hello(hello)
    case .pull(let pull):
      header.pointee.body_case = MRDIB__V1__DATA_HEADER__BODY_PULL
      header.pointee.pull = arena.pull(pull)
      payloads = [pull.keys, .empty]
    case .push(let push):
      header.pointee.body_case = MRDIB__V1__DATA_HEADER__BODY_PUSH
      header.pointee.push = arena.push(push)
      payloads = [push.keys, push.values]
    case .reduce(let reduce):
      header.pointee.body_case = MRDIB__V1__DATA_HEADER__BODY_REDUCE
      header.pointee.reduce = arena.reduce(reduce)
      payloads = [reduce.rows.keys, reduce.rows.values]
    case .copy(let copy):
      header.pointee.body_case = MRDIB__V1__DATA_HEADER__BODY_COPY
      header.pointee.copy = arena.copy(copy)
      if case .store(let bytes) = copy.purpose { payloads = [bytes] } else { payloads = [.empty] }
    }
    return WireMessage(frames: [arena.pack(header)] + payloads)
  }
}

extension HeaderArena {
  fileprivate mutating func hello(
    _ hello: DataHello
  ) -> UnsafeMutablePointer<Mrdib__V1__DataHello> {
    let wire = make(mrdib__v1__data_hello__init)
    wire.pointee.run_id = string(hello.runID)
    wire.pointee.generation = hello.generation
    wire.pointee.sender = string(hello.sender)
    return wire
  }

  fileprivate mutating func pull(_ pull: PullRequest) -> UnsafeMutablePointer<Mrdib__V1__Pull> {
    let wire = make(mrdib__v1__pull__init)
    wire.pointee.generation = pull.generation
    wire.pointee.version = pull.version
    wire.pointee.n_sections = pull.sections.count
    wire.pointee.sections = sections(pull.sections)
    wire.pointee.n_confirmed = pull.confirmed.count
    wire.pointee.confirmed = array(pull.confirmed)
    wire.pointee.wants_reports = pull.wantsReports ? 1 : 0
    return wire
  }

  fileprivate mutating func push(_ push: PushRequest) -> UnsafeMutablePointer<Mrdib__V1__Push> {
    let wire = make(mrdib__v1__push__init)
    wire.pointee.name = name(push.name)
    wire.pointee.kind = Mrdib__V1__PushKind(rawValue: push.kind.rawValue)
    wire.pointee.n_sections = push.sections.count
    wire.pointee.sections = sections(push.sections)
    wire.pointee.n_sums = push.sums.count
    wire.pointee.sums = sums(push.sums)
    return wire
  }

  fileprivate mutating func reduce(
    _ reduce: ReduceRequest
  ) -> UnsafeMutablePointer<Mrdib__V1__Reduce> {
    let wire = make(mrdib__v1__reduce__init)
    wire.pointee.name = name(reduce.name)
    wire.pointee.n_values = reduce.values.count
    wire.pointee.values = array(reduce.values)
    wire.pointee.stage = reduce.stage.rawValue
    wire.pointee.n_sections = reduce.rows.sections.count
    wire.pointee.sections = sections(reduce.rows.sections)
    wire.pointee.wants_rows = reduce.wantsRows ? 1 : 0
    return wire
  }
}

extension DataRequest {
  /// Decodes a request. Payload frames stay shared with `message`; the server checks that the keys
  /// of a section ascend and exist.
  ///
  /// - Throws: ``WireError`` when the message has another protocol version, exceeds `limits`, or is
  ///   inconsistent.
  package init(
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
      try checkFrameCount(message, is: 3)
      return .reduce(try reduce(try required(header.reduce, "reduction"), message))
    case MRDIB__V1__DATA_HEADER__BODY_COPY:
      try checkFrameCount(message, is: 2)
      return .copy(try copy(try required(header.copy, "copy"), message.frames[1]))
    default:
      throw malformed("it is not a request that a server handles")
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

  private func reduce(
    _ wire: Mrdib__V1__Reduce, _ message: WireMessage
  ) throws(WireError) -> ReduceRequest {
    ReduceRequest(
      name: try name(wire.name), stage: try enumeration(wire.stage, "stage of a reduction"),
      values: try numbers(
        wire.values, count: wire.n_values, atMost: limits.reduceValues, "values"),
      rows: try gradientRows(wire.sections, count: wire.n_sections, message),
      wantsRows: wire.wants_rows != 0)
  }
}

extension WireError {
  /// The same error with the id of its request.
  func ofRequest(_ id: UInt64) -> WireError {
    var error = self
    error.requestID = id
    return error
  }
}
