/// Why a peer does not do what was asked; every refusal says what to do.
public struct Refusal: Sendable, Equatable, Error {
  public enum Code: UInt32, Sendable {
    /// The speaker uses another protocol version.
    case protocolVersion = 1
    /// The speaker belongs to another run.
    case wrongRun = 2
    /// The message is of an older generation.
    case staleGeneration = 3
    /// The message cannot be right: unknown table, keys out of range, sizes that do not fit.
    case malformed = 4
    /// The peer is not ready; ask again.
    case notReady = 5
    /// The cluster has all the members it wants.
    case clusterFull = 6
    /// A limit (memory, outstanding requests) would be exceeded.
    case limit = 7
    /// Values are not finite numbers: the computation diverged, and another try would come to the
    /// same.
    case diverged = 8
    /// The peer does not know the speaker (any more): say hello and ask again.
    case helloNeeded = 9
    /// The tables are beyond the version that was asked for: go on from ``Refusal/version``.
    case versionGone = 10
  }

  public var code: Code
  public var message: String
  /// The version that the tables have, with the code `versionGone`; else 0.
  public var version: UInt64

  public init(code: Code, message: String, version: UInt64 = 0) {
    self.code = code
    self.message = message
    self.version = version
  }
}
