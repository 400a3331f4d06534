internal import CWireMessages

extension HeaderArena {
  mutating func refusal(_ refusal: Refusal) -> UnsafeMutablePointer<Mrdib__V1__Refusal> {
    let wire = make(mrdib__v1__refusal__init)
    wire.pointee.code = Mrdib__V1__RefusalCode(rawValue: refusal.code.rawValue)
    wire.pointee.message = sentence(refusal.message)
    wire.pointee.version = refusal.version
    return wire
  }
}

extension WireReader {
  func refusal(
    _ pointer: UnsafeMutablePointer<Mrdib__V1__Refusal>?
  ) throws(WireError) -> Refusal {
    let wire = try required(pointer, "refusal")
    return Refusal(
      code: try enumeration(wire.code.rawValue, "refusal code"),
      message: try text(wire.message, "refusal message"), version: try version(wire.version))
  }
}
