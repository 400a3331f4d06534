import Foundation
import TestSupport
import Testing

/// Help, suggestions for misspelt commands, and the plan and the settings as JSON.
@Suite struct HelpTests {
  private static func object(_ command: Command) throws -> [String: Any] {
    #expect(command.status == 0, "\(command.errors)")
    return try #require(
      try JSONSerialization.jsonObject(with: Data(command.output.utf8)) as? [String: Any])
  }

  /// All commands of the program by their path, with their arguments.
  private static func commands() throws -> [(path: String, arguments: [[String: Any]])] {
    try descriptions().map { ($0.path, $0.command["arguments"] as? [[String: Any]] ?? []) }
  }

  /// All commands of the program by their path, as they describe themselves.
  private static func descriptions() throws -> [(path: String, command: [String: Any])] {
    func all(_ command: [String: Any], _ parent: String) -> [(String, [String: Any])] {
      let path = "\(parent) \(command["commandName"] as? String ?? "?")"
      let subcommands = command["subcommands"] as? [[String: Any]] ?? []
      return [(path, command)] + subcommands.flatMap { all($0, path) }
    }
    let root = try object(Command("--experimental-dump-help"))
    return all(try #require(root["command"] as? [String: Any]), "")
  }

  @Test("every option that may be left out says what its default is, and everything has a purpose")
  func defaults() throws {
    let commands = try Self.commands().filter { !$0.path.hasSuffix(" help") }
    #expect(commands.count > 20)
    for (path, arguments) in commands {
      for argument in arguments where argument["shouldDisplay"] as? Bool ?? true {
        let name = argument["valueName"] as? String ?? ""
        let purpose = argument["abstract"] as? String ?? ""
        #expect(!purpose.isEmpty, "\(path) \(name) has no help")
        guard argument["isOptional"] as? Bool == true, argument["kind"] as? String != "flag" else {
          continue
        }
        #expect(
          argument["defaultValue"] != nil || purpose.contains("default:"),
          "\(path) \(name): '\(purpose)' names no default; write (default: …)")
      }
    }
  }

  @Test("the help of every command has examples of it")
  func examples() throws {
    for (path, command) in try Self.descriptions() {
      guard command["subcommands"] == nil, command["shouldDisplay"] as? Bool ?? true,
        !path.hasSuffix(" help")
      else { continue }
      let discussion = command["discussion"] as? String ?? ""
      #expect(discussion.contains("  \(path.dropFirst())"), "\(path): \(discussion)")
    }
  }

  @Test("folders, files and models are completed")
  func completions() throws {
    var count = 0
    for (path, arguments) in try Self.commands() {
      for argument in arguments {
        let name = argument["valueName"] as? String ?? ""
        guard ["folder", "file", "path", "model"].contains(name) else { continue }
        let kind = argument["completionKind"] as? [String: Any]
        #expect(kind != nil, "\(path) \(name) \(argument["abstract"] ?? "")")
        count += 1
      }
    }
    #expect(count > 20)
    let bash = try Command("--generate-completion-script", "bash")
    #expect(bash.status == 0 && bash.output.contains("freedom"))
  }

  @Test(
    "a misspelt command is answered with the one that was meant",
    arguments: [
      (["trian"], "'train'"), (["help", "trian"], "'train'"), (["trian", "--help"], "'train'"),
      (["data", "statz", "somewhere"], "'stats'"), (["checkpoint", "exprot"], "'export'"),
    ])
  func misspelt(arguments: [String], meant: String) throws {
    let command = try Command(arguments: arguments)
    #expect(command.status == 64 && command.output.isEmpty)
    #expect(command.errors.contains("did you mean \(meant)?"), "\(command.errors)")
  }

  @Test("a word that is like no command is answered with all commands of its place")
  func unknownCommand() throws {
    let command = try Command("data", "xyzzyxyzzy")
    #expect(command.status == 64)
    #expect(command.errors.contains("'mrdib data xyzzyxyzzy'. The commands are"))
    #expect(command.errors.contains("validate") && !command.errors.contains("sweep"))
    // Words that are no commands are left to the command.
    #expect(try Command("data", "stats", "--help").status == 0)
    #expect(try Command("help", "data", "stats").status == 0)
  }

  @Test("train --dry-run --json: data, tables, processes and settings with their sources")
  func dryRun() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let arguments = [
      "train", "--dry-run", "--data", data, "--seed", "7", "--workers", "3", "--set", "alpha1=0.5",
    ]
    let plan = try Self.object(Command(arguments: arguments + ["--json"]))
    #expect(plan["schema_version"] as? Int == 1 && plan["model"] as? String == "vbpr")
    let described = try #require(plan["data"] as? [String: Any])
    #expect(described["users"] as? Int == 150 && described["folder"] as? String == data)
    let tables = try #require(plan["tables"] as? [[String: Any]])
    let user = try #require(tables.first { $0["name"] as? String == "user" })
    #expect(user["rows"] as? Int == 150 && user["width"] as? Int == 128)
    #expect(user["bytes"] as? Int == 150 * 128 * 4)
    let processes = try #require(plan["processes"] as? [String: Int])
    #expect(processes["workers"] == 3)
    let settings = try #require(plan["settings"] as? [[String: Any]])
    let seed = try #require(settings.first { $0["name"] as? String == "seed" })
    #expect(seed["value"] as? Int == 7 && seed["source"] as? String == "--seed 7")
    let alpha = try #require(settings.first { $0["name"] as? String == "alpha1" })
    #expect(alpha["value"] as? Double == 0.5 && alpha["in_effect"] as? Bool == true)
    // The text has the same figures.
    let text = try Command(arguments: arguments)
    #expect(text.output.contains("tables\t\(tables.count)\n"))
    #expect(text.output.contains("steps per epoch\t\(plan["steps_per_epoch"] as? Int ?? -1)\n"))
  }

  @Test("config keys: some of the settings, as text and JSON, or a suggestion")
  func keys() throws {
    let text = try Command("config", "keys", "alpha").output
    #expect(text.contains("alpha1:") && !text.contains("embedding_size:"))
    let settings = try #require(
      try Self.object(Command("config", "keys", "ALPHA", "--json"))["settings"] as? [[String: Any]])
    #expect(settings.contains { $0["name"] as? String == "alpha3" })
    let unknown = try Command("config", "keys", "lerning_rate")
    #expect(unknown.status == 78 && unknown.errors.contains("did you mean 'learning_rate'?"))
  }
}
