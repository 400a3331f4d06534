internal import CWireMessages

extension HeaderArena {
  mutating func copy(_ copy: CopyRequest) -> UnsafeMutablePointer<Mrdib__V1__Copy> {
    let wire = make(mrdib__v1__copy__init)
    wire.pointee.run_id = string(copy.runID)
    wire.pointee.generation = copy.generation
    wire.pointee.version = copy.version
    switch copy.subject {
    case .rows(let rank, let serverCount):
      wire.pointee.rank = rank
      wire.pointee.server_count = serverCount
    case .records: wire.pointee.kind = 1
    case .content: wire.pointee.kind = 2
    }
    wire.pointee.byte_count = copy.byteCount
    wire.pointee.digest = string(copy.digest)
    wire.pointee.offset = copy.offset
    wire.pointee.is_fetch = copy.purpose == .fetch ? 1 : 0
    wire.pointee.is_question = copy.purpose == .find ? 1 : 0
    return wire
  }
}

extension WireReader {
  func copy(_ wire: Mrdib__V1__Copy, _ bytes: Payload) throws(WireError) -> CopyRequest {
    let byteCount = try quantity(wire.byte_count, "number of bytes of a file")
    let isStored = wire.is_fetch == 0 && wire.is_question == 0
    try checkPiece(bytes)
    let offset = try number(wire.offset, "offset in a file", upTo: byteCount)
    guard isStored || bytes.byteCount == 0, UInt64(bytes.byteCount) <= byteCount - offset else {
      throw malformed("it has \(bytes.byteCount) bytes at \(offset) of \(byteCount)")
    }
    return CopyRequest(
      runID: try text(wire.run_id, "run id"), generation: try generation(wire.generation),
      version: try version(wire.version), subject: try subject(wire), byteCount: byteCount,
      digest: try text(wire.digest, "digest"), offset: offset,
      purpose: isStored ? .store(bytes) : wire.is_question != 0 ? .find : .fetch)
  }

  private func subject(_ wire: Mrdib__V1__Copy) throws(WireError) -> CopyRequest.Subject {
    switch wire.kind {
    case 0:
      let serverCount = try number(
        wire.server_count, "number of servers", from: 1, upTo: limits.members)
      return .rows(
        rank: try number(wire.rank, "rank", upTo: serverCount - 1), serverCount: serverCount)
    case 1: return .records
    case 2: return .content
    default: throw malformed("it is about a file of the unknown kind \(wire.kind)")
    }
  }

  /// Checks the size of a piece of a file.
  func checkPiece(_ bytes: Payload) throws(WireError) {
    try checkCount(bytes.byteCount, atMost: CopyRequest.mostBytes, of: "bytes of a file")
  }
}
