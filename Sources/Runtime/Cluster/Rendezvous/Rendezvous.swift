import Files
import Foundation
import Transport

/// Where a process of a cluster finds what it needs to join, besides its options: its own variables
/// first, then those of the engine that started it.
///
/// One order for all commands: options; `MRDIB_*`; `DMLC_*` (set for parameter servers, so they are
/// meant); Kubernetes; Slurm (set in every job, whatever runs in it).
package struct Rendezvous: Sendable {
  /// What there is to know.
  package enum Fact: String, Sendable, CaseIterable, Encodable {
    case coordinator, name, advertise, workers, servers, data

    /// mrdib's own variable for it. `MRDIB_DATA` names a folder of several data sets in the tests.
    package var variable: String {
      switch self {
      case .coordinator: "MRDIB_COORDINATOR"
      case .name: "MRDIB_NAME"
      case .advertise: "MRDIB_ADVERTISE"
      case .workers: "MRDIB_WORKERS"
      case .servers: "MRDIB_SERVERS"
      case .data: "MRDIB_DATA_FOLDER"
      }
    }
  }

  /// A value and the variables that it comes from.
  package struct Finding: Sendable, Equatable {
    package var value: String
    package var source: String
  }

  private let sources: [RendezvousSource]

  /// - Parameters:
  ///   - role: `coordinator`, `server` or `worker`: engines number processes, and names must
  ///     differ.
  ///   - environment: of the process.
  package init(
    role: String, environment: [String: String] = ProcessInfo.processInfo.environment
  ) {
    sources = [
      .own(environment), .dmlc(environment, role: role), .kubernetes(environment),
      .slurm(environment, role: role),
    ]
  }

  /// The value of the first source that has one; nil if none has.
  package func find(_ fact: Fact) -> Finding? {
    sources.lazy.compactMap { $0.facts[fact] }.first
  }

  /// A number of processes.
  ///
  /// - Throws: ``RuntimeError`` if the variable holds no number above 0.
  package func count(_ fact: Fact) throws -> (value: Int, source: String)? {
    guard let found = find(fact) else { return nil }
    guard let value = Int(found.value), value > 0 else {
      throw RuntimeError(
        exitCode: .usage,
        message: "Cannot take the number of \(fact.rawValue) from \(found.source): it is "
          + "'\(found.value.sanitized(atMost: 40))' and not a number above 0. Correct the "
          + "variable, or give --\(fact.rawValue).")
    }
    return (value, found.source)
  }

  /// The coordinator's address.
  ///
  /// - Throws: ``RuntimeError`` if a variable names something else.
  package func coordinator() throws -> (address: CoordinatorAddress, source: String)? {
    guard let found = find(.coordinator) else { return nil }
    do {
      return (try CoordinatorAddress(found.value), found.source)
    } catch {
      throw RuntimeError(
        exitCode: .usage,
        message: "Cannot take the coordinator's address from \(found.source): \(error) Correct "
          + "the variable, or give --coordinator.")
    }
  }

  /// The host at which others reach a process that listens at all addresses of its machine; nil
  /// if `address` names one of them.
  ///
  /// - Parameter standard: if no variable names the host.
  package func advertisedHost(
    listeningAt address: String, else standard: String? = nil
  ) -> String? {
    guard (try? Endpoint(address))?.isEveryAddress == true else { return nil }
    return find(.advertise)?.value ?? standard
  }

  /// An environment without mrdib's own variables and those of a service manager: for processes
  /// that get everything as options and have a launcher of their own.
  package static func without(_ environment: [String: String]) -> [String: String] {
    let own = Set(Fact.allCases.map(\.variable) + ServiceManager.variables)
    return environment.filter { !own.contains($0.key) }
  }

  /// The name of a node.
  ///
  /// - Throws: ``RuntimeError`` if the variable holds no name.
  package func name() throws -> String? {
    guard let found = find(.name) else { return nil }
    guard NodeOptions.isName(found.value) else {
      throw RuntimeError(
        exitCode: .usage,
        message: "Cannot take this process's name from \(found.source): it is "
          + "'\(found.value.sanitized(atMost: 80))'; names have at most "
          + "\(NodeOptions.longestName) characters of ASCII without blanks. Give --name.")
    }
    return found.value
  }
}
