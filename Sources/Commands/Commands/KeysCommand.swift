import ArgumentParser
import Runtime
import Transport

struct KeysCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keys", abstract: "Make the keys with which a cluster keeps strangers out.",
    discussion: """
      'mrdib keys new FOLDER' makes all that a cluster needs. Copy the folder to every machine (only
      its owner may read it) and give each process --keys FOLDER: from then on everything between
      them is encrypted, and nobody without a key from the folder gets a word in.

      To give a worker's machine a key of its own, which can be taken back by deleting its file in
      FOLDER/allowed: 'mrdib keys add FOLDER NAME --out OTHER', and copy
      OTHER there.
      """,
    subcommands: [KeysNew.self, KeysAdd.self, KeysShow.self])
}

struct KeysNew: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "new", abstract: "Make the keys of a new cluster.")

  @Argument(help: "The folder to make; it may exist if it holds no keys.")
  var folder: String

  func run() throws {
    try reporting {
      try KeyFolder(folder).create()
      StandardOutput.write(
        "made the keys of a cluster in '\(folder)'; use them with --keys \(folder)")
    }
  }
}

struct KeysAdd: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Make a key for one more machine and allow it.")

  @Argument(help: "The cluster's key folder.")
  var folder: String

  @Argument(help: "What the machine is called in the list of allowed keys and in logs.")
  var name: String

  @Option(help: ArgumentHelp("The folder to make for that machine.", valueName: "folder"))
  var out: String

  func run() throws {
    try reporting {
      try KeyFolder(folder).add(name, into: KeyFolder(out))
      StandardOutput.write([
        "copy '\(out)' to the machine '\(name)'; its workers use it with --keys",
        "processes that listen with '\(folder)' know the key from now on",
      ])
    }
  }
}

struct KeysShow: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Print the public keys in a folder and what it is good for.")

  @Argument(help: "The key folder.")
  var folder: String

  func run() throws {
    try reporting { try StandardOutput.write(KeyFolder(folder).lines()) }
  }
}

/// The keys of a process.
struct KeyOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A key folder made by 'mrdib keys': everything is encrypted, strangers are kept out.",
      valueName: "folder"))
  var keys: String?

  /// - Parameters:
  ///   - listens: whether others connect to the process.
  ///   - trustsNetwork: whether it may do so on a network without keys.
  func security(listens: Bool, trustsNetwork: Bool = false) throws -> Security {
    try keys.map { try KeyFolder($0).security(listens: listens) }
      ?? .plain(trustsNetwork: trustsNetwork)
  }
}

/// The keys of a process that others connect to.
struct ListenOptions: ParsableArguments {
  @OptionGroup var keyOptions: KeyOptions

  @Flag(
    help: """
      Listen on a network without --keys: everybody on it can read the traffic and take part.
      """)
  var insecureNetwork = false

  @Option(
    help: ArgumentHelp(
      "Write the address into this file as long as the process listens, for scripts.",
      valueName: "file"))
  var endpointFile: String?

  func validate() throws {
    if insecureNetwork && keyOptions.keys != nil {
      throw ValidationError("--keys and --insecure-network exclude each other.")
    }
  }

  func security() throws -> Security {
    try keyOptions.security(listens: true, trustsNetwork: insecureNetwork)
  }

  func addressFile() throws -> EndpointFile? { try endpointFile.map { try EndpointFile(path: $0) } }
}
