/// Checks what a peer sent, and words what is wrong with it.
struct WireReader {
  let limits: WireLimits
  /// What is being read, such as `a data request`.
  let subject: String

  func malformed(_ found: String, _ advice: String) -> WireError {
    WireError(.malformed, "Cannot read \(subject): \(found); \(advice).")
  }

  /// For mistakes that only a broken or foreign program makes.
  func malformed(_ found: String) -> WireError {
    malformed(found, "its sender is broken or not mrdib: stop it, or report this")
  }

  func checkVersion(_ version: UInt32) throws(WireError) {
    guard version == ProtocolVersion.current else {
      throw WireError(
        .protocolVersion,
        "Cannot read \(subject): the peer speaks protocol version \(version), this program version"
          + " \(ProtocolVersion.current); start every node from the same mrdib build.")
    }
  }

  func checkCount(_ count: Int, atMost limit: Int, of what: String) throws(WireError) {
    guard count <= limit else {
      throw WireError(
        .limit,
        "Cannot read \(subject): it has \(count) \(what), and at most \(limit) are allowed;"
          + " split it.")
    }
  }

  func checkFrameCount(_ message: WireMessage, is count: Int) throws(WireError) {
    guard message.frames.count == count else {
      throw malformed("it has \(message.frames.count) frames instead of \(count)")
    }
  }

  func checkByteCount(_ frame: Payload, is expected: Int, _ name: String) throws(WireError) {
    guard frame.byteCount == expected else {
      throw malformed(
        "its \(name) frame has \(frame.byteCount) bytes, and its sections need \(expected)")
    }
  }

  /// The member of a message that must be there.
  func required<Value>(
    _ pointer: UnsafeMutablePointer<Value>?, _ name: String
  ) throws(WireError) -> Value {
    guard let pointer else { throw malformed("it has no \(name)") }
    return pointer.pointee
  }
}
