import ArgumentParser
import Runtime
import Transport

struct KeysCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keys", abstract: "Make the keys that encrypt and authenticate a cluster.",
    discussion: """
      'mrdib keys new FOLDER' makes all keys that a cluster needs. Copy the folder to every machine
      (only its owner may read it) and start each process with --keys FOLDER: then all traffic
      between them is encrypted, and peers without a key from the folder are rejected.

      To give a worker's machine a key of its own, run 'mrdib keys add FOLDER NAME --out OTHER' and
      copy OTHER to that machine. Deleting its file in FOLDER/allowed revokes the key.
      """,
    subcommands: [KeysNew.self, KeysAdd.self, KeysShow.self])
}

struct KeysNew: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "new", abstract: "Make the keys of a new cluster.",
    discussion: "  mrdib keys new keys")

  @Argument(help: "The folder to create; it may exist if it holds no keys.", completion: .directory)
  var folder: String

  func run() throws {
    try reporting {
      try KeyFolder(folder).create()
      StandardOutput.write(
        "made the keys of a cluster in '\(folder)'; use them with --keys '\(folder)'")
    }
  }
}

struct KeysAdd: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Make a key for another machine and allow it.",
    discussion: "  mrdib keys add keys worker-D --out keys-D")

  @Argument(help: "The cluster's key folder.", completion: .directory)
  var folder: String

  @Argument(help: "The machine's name in the list of allowed keys and in logs.")
  var name: String

  @Option(
    help: ArgumentHelp("The folder to create for that machine.", valueName: "folder"),
    completion: .directory)
  var out: String

  func run() throws {
    try reporting {
      try KeyFolder(folder).add(name, into: KeyFolder(out))
      StandardOutput.write([
        "copy '\(out)' to the machine '\(name)'; its workers use it with --keys",
        "processes that listen with '\(folder)' accept the key from now on",
      ])
    }
  }
}

struct KeysShow: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Print the public keys in a folder and which roles can use it.",
    discussion: "  mrdib keys show keys")

  @Argument(help: "The key folder.", completion: .directory)
  var folder: String

  func run() throws {
    try reporting { try StandardOutput.write(KeyFolder(folder).lines()) }
  }
}

/// The keys of a process.
struct KeyOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      A key folder made by 'mrdib keys': encrypts traffic and rejects peers without a key \
      (default: none, no encryption).
      """,
      valueName: "folder"), completion: .directory)
  var keys: String?

  /// - Parameters:
  ///   - listens: whether others connect to the process.
  ///   - trustsNetwork: whether it may listen on a network without keys.
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
      Listen on a network without --keys: any machine on it can read the traffic and join the run.
      """)
  var insecureNetwork = false

  @Option(
    help: ArgumentHelp(
      "A file that holds the address while the process listens, for scripts (default: none).",
      valueName: "file"), completion: .file())
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
