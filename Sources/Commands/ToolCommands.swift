import ArgumentParser
import Configuration
import Foundation
import Runtime

struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "List or resolve settings.",
    subcommands: [ConfigKeys.self, ConfigShow.self])
}

struct ConfigKeys: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keys", abstract: "List every setting with its default and meaning.",
    discussion: """
        mrdib config keys
        mrdib config keys alpha --json
      """)

  @Argument(
    help: """
      Only settings with this word in their name, in the title of their section, or in what they \
      are used with, such as alpha, cluster or mgcn (default: all).
      """)
  var word: String?

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    try reporting {
      let reference = try word.map { try KeyReference(matching: $0) } ?? .all
      if json { return try StandardOutput.writeJSON(reference) }
      StandardOutput.write(reference.text)
    }
  }
}

struct ConfigShow: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Resolve the settings of a run and print the source of each.",
    discussion: """
        mrdib config show --model vbpr --set alpha1=0.05
        mrdib config show --config chosen.yaml > resolved.yaml
      """)

  @OptionGroup var options: RunOptions

  func run() throws {
    try reporting { StandardOutput.write(text: try options.request().resolve().resolvedYAML()) }
  }
}

struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Print the machine, the libraries and the kernels in use.",
    discussion: """
      With --cluster: how a process started here finds its cluster.

        mrdib doctor
        mrdib doctor --json
        mrdib doctor --cluster --role server
      """)

  @Flag(
    help: """
      Print instead what a role started here takes from its environment (MRDIB_*, DMLC_*, \
      Kubernetes, Slurm), and what is missing.
      """)
  var cluster = false

  @Option(
    help: ArgumentHelp(
      "With --cluster: the role to name, coordinator, server or worker (default: worker)."))
  var role = "worker"

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    guard ["coordinator", "server", "worker"].contains(role) else {
      throw ValidationError("--role is '\(role)'; give coordinator, server or worker")
    }
  }

  func run() throws {
    try reporting {
      if cluster {
        let report = RendezvousReport(role: role)
        if json { return try StandardOutput.writeJSON(report) }
        return StandardOutput.write(report.lines)
      }
      let report = Diagnosis.capture()
      if json { return try StandardOutput.writeJSON(report) }
      StandardOutput.write(report.lines)
    }
  }
}
