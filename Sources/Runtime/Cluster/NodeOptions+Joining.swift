import Foundation
import Logging
import Protocol
import Transport

extension NodeOptions {
  /// For how long a process waits for its coordinator.
  var enrollmentLimits: NodeMembership.Limits {
    var limits = NodeMembership.Limits()
    limits.joinTimeout = joinTimeout
    return limits
  }

  /// Where a process looks for its coordinator, and for how long.
  var searchSentence: String {
    "looking for the coordinator at \(coordinator), for \(Int(joinTimeout)) s at most"
  }

  /// Says if the coordinator's host has no address, or the network no way to it, unless the role
  /// has ended by then: libzmq would try it again and again without a word.
  func warnOfUnreachableHost(_ logger: Logger, until outcome: OutcomeBox) {
    // One that is malformed is refused when it is connected to.
    guard let endpoint = try? Endpoint(coordinator) else { return }
    // A name service that does not answer holds up nobody.
    Thread.detachNewThread {
      do {
        try endpoint.checkHost()
        try endpoint.checkRoute()
      } catch {
        // It may be a host that is still starting.
        if !outcome.isSet { logger.warning("\(error) It is looked for again meanwhile.") }
      }
    }
  }
}

extension NodeOptions {
  /// The outcome of a role, with the reason if this machine has no way to the coordinator.
  func explain(_ outcome: RoleOutcome) -> RoleOutcome {
    // The name service is not asked again: it may take long to say nothing.
    guard outcome.exitCode == .transient, let endpoint = try? Endpoint(coordinator),
      endpoint.isOnThisMachine
    else { return outcome }
    do {
      try endpoint.checkRoute()
      return outcome
    } catch {
      return RoleOutcome(exitCode: .transient, message: "\(outcome.message) \(error)")
    }
  }
}

extension Endpoint {
  /// Says if nobody can reach this address of this machine, where the process listens.
  func warnIfUnreachable(_ logger: Logger) {
    // Names and other addresses are not for this machine to judge.
    guard isOnThisMachine else { return }
    do {
      try checkRoute()
    } catch {
      logger.warning("\(error) Until then nobody reaches this process.")
    }
  }
}
