/// What went wrong between this process and the network.
public struct TransportError: Error, Sendable, Equatable, CustomStringConvertible {
  public enum Code: Sendable {
    case addressInUse
    case addressNotAvailable
    case permissionDenied
    case invalidEndpoint
    case hostUnknown
    /// The peer has left; what was to be sent to it was not.
    case peerGone
    /// The peer, or this process, takes no more for now; try again later.
    case overloaded
    case messageTooLarge
    /// Nothing would keep strangers out.
    case insecure
    /// What should be a key is none.
    case invalidKey
    /// The installed libzmq cannot do it.
    case unsupported
    /// The connection, loop or context has been closed.
    case closed
    /// A limit of the operating system or of libzmq was reached.
    case resourceLimit
    /// Anything else that libzmq or the operating system says.
    case failed
  }

  public let code: Code
  /// One sentence: what was attempted, on what, what was found, what to do.
  public let message: String

  init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { message }
}
