import Foundation
import Transport

/// The output of `mrdib doctor --cluster`: what a process started here would take from its
/// environment, and what it lacks.
package struct RendezvousReport: Sendable, Encodable {
  package struct Entry: Sendable, Encodable {
    package let fact: Rendezvous.Fact
    /// nil if no variable has it.
    package let value: String?
    /// The variables that it comes from; without a value, what would give it.
    package let source: String
  }

  package let schemaVersion = 1
  /// For which role names are shown.
  package let role: String
  package let entries: [Entry]
  /// Sentences about values that cannot be used, and hosts that are not found.
  package let problems: [String]

  enum CodingKeys: String, CodingKey {
    case schemaVersion = "schema_version"
    case role, entries, problems
  }

  /// Resolves the environment of this process. Blocks while the coordinator's host is looked up.
  package init(
    role: String, environment: [String: String] = ProcessInfo.processInfo.environment
  ) {
    self.role = role
    let rendezvous = Rendezvous(role: role, environment: environment)
    entries = Self.facts(for: role).map { fact in
      let found = rendezvous.find(fact)
      return Entry(
        fact: fact, value: found?.value,
        source: found?.source ?? "--\(fact.rawValue) or \(fact.variable)")
    }
    var problems: [String] = []
    func check(_ body: () throws -> Void) {
      do { try body() } catch { problems.append("\(error)") }
    }
    for fact in [Rendezvous.Fact.workers, .servers]
    where entries.contains(where: { $0.fact == fact }) {
      check { _ = try rendezvous.count(fact) }
    }
    check { _ = try rendezvous.name() }
    check {
      switch try rendezvous.coordinator()?.address {
      case .endpoint(let endpoint):
        try endpoint.checkHost()
        try endpoint.checkRoute()
      case .file(let path) where CoordinatorAddress.read(path) == nil:
        problems.append(
          "The file '\(path)' holds no address yet: no coordinator is running with it.")
      case .file, nil: break
      }
    }
    self.problems = problems
  }

  /// What a role takes from its environment.
  private static func facts(for role: String) -> [Rendezvous.Fact] {
    switch role {
    case "coordinator": [.coordinator, .advertise, .workers, .servers, .data]
    case "server": [.coordinator, .name, .advertise]
    default: [.coordinator, .name, .data]
    }
  }

  /// A line for each value, with tabs, then one for each problem.
  package var lines: [String] {
    ["role\t\(role)"]
      + entries.map { entry in
        entry.value.map { "\(entry.fact.rawValue)\t\($0)\tfrom \(entry.source)" }
          ?? "\(entry.fact.rawValue)\tmissing\tgive \(entry.source)"
      } + problems.map { "problem\t\($0)" }
  }
}
