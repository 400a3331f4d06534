import Protocol

extension WireMessage {
  /// The message as received: the same bytes in other memory.
  var copied: WireMessage {
    WireMessage(frames: frames.map { Payload.copying($0.array(of: UInt8.self)) })
  }
}
