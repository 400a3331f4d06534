/// A connection that ended before both sides had agreed to speak.
public struct HandshakeFailure: Sendable, Equatable, CustomStringConvertible {
  public enum Cause: Sendable, CaseIterable {
    /// The listening side does not know the key of the connecting side.
    case keyNotAllowed
    /// One side encrypts and the other does not.
    case otherMechanism
    /// What was encrypted cannot be read: it was meant for another cluster's key.
    case wrongKey
    /// Not what ZeroMQ says there.
    case malformed
    /// The other side ended the connection, or took too long. A listening socket that is asked
    /// with a wrong cluster key does so without a word.
    case hungUp
    /// A peer spoke another protocol to a listening socket, or ZeroMQ's from before it had
    /// security.
    case otherProtocol
  }

  /// Where this process listens, or to what it wanted to connect.
  public let endpoint: Endpoint
  public let isListening: Bool
  /// Whether this process encrypts.
  public let isEncrypted: Bool
  public let cause: Cause

  /// One sentence.
  public var description: String { isListening ? listeningSentence : connectingSentence }

  private var listeningSentence: String {
    let found =
      switch cause {
      case .keyNotAllowed: "the peer's key is not allowed"
      case .otherMechanism:
        isEncrypted ? "the peer does not encrypt" : "the peer encrypts and this process has no keys"
      case .wrongKey: "the peer expects another cluster's key"
      case .malformed: "the peer does not keep to ZeroMQ's protocol"
      case .hungUp: "it ended before the peer had said who it is"
      case .otherProtocol: "the peer speaks another protocol"
      }
    return "Refused a connection to \(endpoint): \(found)."
  }

  private var connectingSentence: String {
    let found =
      switch cause {
      case .keyNotAllowed:
        "the other side does not allow this process's key; put its public key into the folder"
          + " 'allowed' there"
      case .otherMechanism:
        isEncrypted
          ? "the other side does not encrypt; start it with --keys, too"
          : "the other side takes encrypted connections only; give --keys FOLDER"
      case .wrongKey: "the other side's answer cannot be read with the cluster's public key"
      case .malformed, .otherProtocol: "what listens there does not keep to ZeroMQ's protocol"
      case .hungUp:
        isEncrypted
          ? "the other side hung up, as it does when its cluster key is not the one in this"
            + " process's key folder, or when it does not encrypt"
          : "the other side hung up, as it does when it takes encrypted connections only; give"
            + " --keys FOLDER"
      }
    return "Cannot connect to \(endpoint): \(found)."
  }
}
