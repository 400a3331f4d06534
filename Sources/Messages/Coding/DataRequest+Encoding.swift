internal import CWireMessages

extension DataRequest {
  /// The frames of the request: a header, and for a pull or push its keys and values.
  public func encoded() -> WireMessage {
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
    return wire
  }
}
