/// A message as it travels: a header frame, and for some data messages a keys and a values frame.
///
/// Frames are shared with whoever made them, never copied.
public struct WireMessage: Sendable {
  public let frames: [Payload]

  /// - Precondition: there is at least one frame.
  public init(frames: [Payload]) {
    precondition(!frames.isEmpty, "a message has at least one frame")
    self.frames = frames
  }

  /// Bytes of all frames.
  public var byteCount: Int { frames.reduce(0) { $0 + $1.byteCount } }
}
