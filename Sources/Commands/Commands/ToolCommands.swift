import ArgumentParser
import Foundation
import RunConfiguration
import Runtime

struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "Explain the settings.",
    subcommands: [ConfigKeys.self, ConfigShow.self])
}

struct ConfigKeys: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keys", abstract: "List every setting with its default and meaning.")

  func run() throws { StandardOutput.write(ConfigurationKeys.reference) }
}

struct ConfigShow: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Resolve the settings of a run and say where each comes from.")

  @OptionGroup var options: RunOptions

  func run() throws {
    try reporting { StandardOutput.write(text: try options.request().resolve().resolvedYAML()) }
  }
}

struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Print what was detected on this machine.")

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    try reporting {
      let report = Diagnosis.capture()
      if json { return try StandardOutput.writeJSON(report) }
      StandardOutput.write(report.lines)
    }
  }
}
