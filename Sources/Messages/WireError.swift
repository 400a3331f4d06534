/// Why a message of a peer was not understood.
public struct WireError: Error, Sendable, Equatable, CustomStringConvertible {
  public enum Code: Sendable {
    /// The peer speaks another version of the protocol.
    case protocolVersion
    /// The message cannot be right.
    case malformed
    /// The message holds more of something than ``WireLimits`` allows.
    case limit
  }

  public let code: Code
  /// One sentence: what was read, what was found and what expected, what to do.
  public let message: String
  /// Of a data message whose header could be read, its number, so that its sender can be told.
  public internal(set) var requestID: UInt64?

  init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { message }

  /// What to answer to the peer that sent the message.
  public var refusal: Refusal {
    switch code {
    case .protocolVersion: Refusal(code: .protocolVersion, message: message)
    case .malformed: Refusal(code: .malformed, message: message)
    case .limit: Refusal(code: .limit, message: message)
    }
  }
}
