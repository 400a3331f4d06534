import Configuration
import Foundation
import Testing

let resolver = ConfigurationResolver(modelNames: ["bpr", "vbpr"])

/// The configuration of one YAML text.
func resolve(_ yaml: String) throws -> RunConfiguration {
  try resolver.resolve(requested: [ConfigurationLayer(yaml: yaml, label: "run.yaml")])
}

/// The configuration of some `--set` assignments.
func resolve(setting assignments: String...) throws -> RunConfiguration {
  try resolver.resolve(requested: assignments.map { try ConfigurationLayer(assignment: $0) })
}

/// The message of the error that a YAML text must give.
func message(of yaml: String) throws -> String {
  try #require(throws: ConfigurationError.self) { try resolve(yaml) }.description
}
