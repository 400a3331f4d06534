import Messages

/// Everything that a message says, as text, so that messages with payloads can be compared.
enum Fingerprint {
  static func of(_ request: DataRequest) -> String {
    switch request.body {
    case .hello(let hello): "\(request.id) \(hello)"
    case .pull(let pull):
      "\(request.id) pull \(pull.generation) \(pull.version) \(pull.sections) \(bytes(pull.keys))"
    case .push(let push):
      "\(request.id) push \(push.name) \(push.kind) \(push.sections) \(bytes(push.keys))"
        + " \(bytes(push.values))"
    case .reduce(let reduce): "\(request.id) \(reduce)"
    }
  }

  static func of(_ reply: DataReply) -> String {
    if case .pulled(let pulled) = reply.body {
      "\(reply.requestID) \(pulled.version) \(pulled.sections) \(bytes(pulled.values))"
    } else {
      "\(reply.requestID) \(reply.body)"
    }
  }

  static func of(_ message: NodeMessage) -> String {
    guard case .taskDone(let id, let reports) = message else { return "\(message)" }
    let lines = reports.map { report in
      "\(report.unit) \(report.sums.sorted { $0.key < $1.key })"
    }
    return "\(id) \(lines)"
  }

  static func of(_ message: CoordinatorMessage) -> String { "\(message)" }

  private static func bytes(_ payload: Payload) -> [UInt8] { payload.array(of: UInt8.self) }
}

extension WireMessage {
  /// The message as it is after a journey: other memory, the same bytes.
  var copied: WireMessage {
    WireMessage(frames: frames.map { Payload.copying($0.array(of: UInt8.self)) })
  }
}
