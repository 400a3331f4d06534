/// Why a peer refused a request. The message explains what to do.
package struct Refusal: Sendable, Equatable, Error {
  package enum Code: UInt32, Sendable, CaseIterable {
    /// The sender uses another protocol version.
    case protocolVersion = 1
    /// The sender belongs to another run.
    case wrongRun = 2
    /// The message is of an older generation.
    case staleGeneration = 3
    /// The message is invalid: unknown table, keys out of range, inconsistent sizes.
    case malformed = 4
    /// The receiver is not ready; retry.
    case notReady = 5
    /// The cluster has all the members it needs.
    case clusterFull = 6
    /// A limit (memory, outstanding requests) would be exceeded.
    case limit = 7
    /// Values are not finite: the computation diverged, and a retry would diverge again.
    case diverged = 8
    /// The receiver does not know the sender (any more): send a hello, then retry.
    case helloNeeded = 9
    /// The tables have passed the requested version: continue at ``Refusal/version``.
    case versionSuperseded = 10
  }

  package var code: Code
  package var message: String
  /// With the code `versionSuperseded`: the current version of the tables. Otherwise 0.
  package var version: UInt64

  package init(code: Code, message: String, version: UInt64 = 0) {
    self.code = code
    self.message = message
    self.version = version
  }
}

/// Why a message could not be decoded.
package struct WireError: Error, Sendable, Equatable, CustomStringConvertible {
  package enum Code: Sendable {
    /// The peer uses another version of the protocol.
    case protocolVersion
    /// The message is invalid.
    case malformed
    /// The message holds more of something than ``WireLimits`` allows.
    case limit
  }

  package let code: Code
  /// One sentence: what was read, what was found and what expected, what to do.
  package let message: String
  /// The id of a data message whose header could be read, so that a refusal can be sent.
  package internal(set) var requestID: UInt64?

  package init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  package var description: String { message }

  /// The answer to the sender of the message.
  package var refusal: Refusal {
    switch code {
    case .protocolVersion: Refusal(code: .protocolVersion, message: message)
    case .malformed: Refusal(code: .malformed, message: message)
    case .limit: Refusal(code: .limit, message: message)
    }
  }
}
