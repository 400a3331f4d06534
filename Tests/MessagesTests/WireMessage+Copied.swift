import Messages

extension WireMessage {
  /// The message as it is after a journey: other memory, the same bytes.
  var copied: WireMessage {
    WireMessage(frames: frames.map { Payload.copying($0.array(of: UInt8.self)) })
  }
}
