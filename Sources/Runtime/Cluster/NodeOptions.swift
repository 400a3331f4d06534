import Foundation
import Logging
import Protocol
import Transport

/// The options of a worker or server, from its command line.
package struct NodeOptions: Sendable {
  /// Where the coordinator listens, or the file that says so.
  package var coordinator: CoordinatorAddress
  /// The run to join; empty means any run of the coordinator.
  package var runID: String
  /// A name that stays the same over restarts, such as `worker-1`; may be empty.
  package var name: String
  /// How long to wait for the coordinator to appear, seconds.
  package var joinTimeout: Double
  /// How long to continue after a request to stop, unless the run ends before; seconds.
  package var stopDelay: Double
  /// What protects the node's connections.
  package var security: Security

  package init(
    coordinator: CoordinatorAddress, runID: String = "", name: String = "",
    joinTimeout: Double = 600, stopDelay: Double = 0,
    security: Security = .plain()
  ) {
    self.coordinator = coordinator
    self.runID = runID
    self.name = name
    self.joinTimeout = joinTimeout
    self.stopDelay = stopDelay
    self.security = security
  }

  /// The most characters of a name.
  package static let longestName = 64

  /// Whether a text can be the name of a node.
  package static func isName(_ text: String) -> Bool {
    text.utf8.count <= longestName && text.utf8.allSatisfy { $0 > 32 && $0 < 127 }
  }

  /// The first message of a process with these options.
  func hello(_ role: NodeRole, dataEndpoint: String) -> NodeHello {
    NodeHello(
      role: role, incarnation: Self.incarnation(), runID: runID, dataEndpoint: dataEndpoint,
      host: ProcessInfo.processInfo.hostName,
      processID: UInt32(ProcessInfo.processInfo.processIdentifier), name: name,
      kernels: role == .worker ? BLASKernels.runningName : "")
  }

  /// Milliseconds since 1970 above 20 random bits: of two processes with one name the later has the
  /// greater number, and processes that start together differ.
  private static func incarnation() -> UInt64 {
    let milliseconds = UInt64(max(0, Date().timeIntervalSince1970 * 1000))
    return milliseconds << 20 | UInt64.random(in: 0..<1 << 20)
  }
}

extension NodeOptions {
  /// How long a process waits for its coordinator.
  var membershipLimits: NodeMembership.Limits {
    var limits = NodeMembership.Limits()
    limits.joinTimeout = joinTimeout
    return limits
  }

  /// Where a process looks for its coordinator, and for how long.
  var searchSentence: String {
    "looking for the coordinator at \(coordinator), for \(Int(joinTimeout)) s at most"
  }

  /// Logs a warning if the coordinator's host has no address or no route leads to it, unless the
  /// role has ended by then: libzmq would retry silently.
  ///
  /// - Parameter endpoint: of the coordinator.
  func warnOfUnreachableHost(
    _ endpoint: Endpoint, _ logger: Logger, until outcome: OutcomeBox
  ) {
    // On a thread of its own: a name service that does not answer must not block the role.
    Thread.detachNewThread {
      do {
        try endpoint.checkHost()
        try endpoint.checkRoute()
      } catch {
        // The host may still be starting.
        if !outcome.isSet { logger.warning("\(error) Retrying meanwhile.") }
      }
    }
  }
}

extension NodeOptions {
  /// The outcome of a role, with the reason if this machine has no route to the coordinator.
  ///
  /// - Parameter endpoint: of the coordinator.
  func explain(_ outcome: RoleOutcome, at endpoint: Endpoint) -> RoleOutcome {
    // Only addresses of this machine: the name service may take long to fail.
    guard outcome.exitCode == .transient, endpoint.isOnThisMachine else { return outcome }
    do {
      try endpoint.checkRoute()
      return outcome
    } catch {
      return RoleOutcome(exitCode: .transient, message: "\(outcome.message) \(error)")
    }
  }
}

extension Endpoint {
  /// Logs a warning if no process can reach this address of this machine.
  func warnIfUnreachable(_ logger: Logger) {
    // This machine cannot check names and addresses of others.
    guard isOnThisMachine else { return }
    do {
      try checkRoute()
    } catch {
      logger.warning("\(error) Until then no other process can reach this one.")
    }
  }
}
