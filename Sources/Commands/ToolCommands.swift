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
