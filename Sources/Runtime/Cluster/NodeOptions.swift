import Foundation
import Protocol
import Transport

/// What a worker or server is told on its command line.
package struct NodeOptions: Sendable {
  /// Where the coordinator listens, such as `tcp://10.0.0.5:7000`.
  package var coordinator: String
  /// The run to join; empty means whatever run the coordinator has.
  package var runID: String
  /// Stays the same when the process is started again, such as `worker-1`; may be empty.
  package var name: String
  /// How long to wait for the coordinator to appear, seconds.
  package var joinTimeout: Double
  /// What protects the node's connections.
  package var security: Security

  package init(
    coordinator: String, runID: String = "", name: String = "", joinTimeout: Double = 600,
    security: Security = .plain()
  ) {
    self.coordinator = coordinator
    self.runID = runID
    self.name = name
    self.joinTimeout = joinTimeout
    self.security = security
  }

  /// The first message of a process with these options.
  func hello(_ role: NodeRole, dataEndpoint: String) -> NodeHello {
    NodeHello(
      role: role, incarnation: Self.incarnation(), runID: runID, dataEndpoint: dataEndpoint,
      host: ProcessInfo.processInfo.hostName,
      processID: UInt32(ProcessInfo.processInfo.processIdentifier), name: name,
      kernels: role == .worker ? BLASKernels.runningName : "")
  }

  /// Milliseconds since 1970, so that of two processes of a name the later one is greater, above 20
  /// random bits, so that processes that start together differ.
  private static func incarnation() -> UInt64 {
    let milliseconds = UInt64(max(0, Date().timeIntervalSince1970 * 1000))
    return milliseconds << 20 | UInt64.random(in: 0..<1 << 20)
  }
}
