import Foundation
import Messages

/// What a worker or server is told on its command line.
public struct NodeOptions: Sendable {
  /// Where the coordinator listens, such as `tcp://10.0.0.5:7000`.
  public var coordinator: String
  /// The run to join; empty means whatever run the coordinator has.
  public var runID: String
  /// How long to wait for the coordinator to appear, seconds.
  public var joinTimeout: Double

  public init(coordinator: String, runID: String = "", joinTimeout: Double = 600) {
    self.coordinator = coordinator
    self.runID = runID
    self.joinTimeout = joinTimeout
  }

  /// The first message of a process with these options.
  func hello(_ role: NodeRole, dataEndpoint: String) -> NodeHello {
    var generator = SystemRandomNumberGenerator()
    return NodeHello(
      role: role, incarnation: generator.next(), runID: runID, dataEndpoint: dataEndpoint,
      host: ProcessInfo.processInfo.hostName,
      processID: UInt32(ProcessInfo.processInfo.processIdentifier))
  }
}
