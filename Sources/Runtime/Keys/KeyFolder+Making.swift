import Transport

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

extension KeyFolder {
  /// The name of the pair that a new folder begins with.
  private static let firstNode = "node"

  /// Makes the keys of a new cluster: the pair of its listening sockets, and one pair that may
  /// connect, which is enough when all machines have one owner.
  ///
  /// - Throws: ``RuntimeError`` when the folder already holds keys or cannot be written.
  public func create() throws {
    try makeFolder(path)
    for file in [clusterSecret, clusterPublic, nodeSecret] { try checkFree(file) }
    let cluster = KeyFile(name: "cluster", pair: try .fresh())
    let node = KeyFile(name: Self.firstNode, pair: try .fresh())
    try makeFolder(allowedFolder)
    try node.save(to: "\(allowedFolder)/\(node.name).public", .open)
    try node.save(to: nodeSecret, .secret)
    try cluster.save(to: clusterPublic, .open)
    // Last: a folder with it is complete.
    try cluster.save(to: clusterSecret, .secret)
  }

  /// Makes a pair for one more machine, which may then connect: its public key goes to those that
  /// are allowed here, and what the machine needs into a folder of its own.
  ///
  /// - Throws: ``RuntimeError`` when the name is taken, or the folders cannot be written.
  public func add(_ name: String, into other: KeyFolder) throws {
    guard KeyName.isValid(name) else {
      throw RuntimeError(
        exitCode: .usage,
        message: "Cannot name a key '\(name)': use \(KeyName.rule).")
    }
    try KeyAccess.checkFolder(path)
    guard access(clusterSecret, F_OK) == 0 else {
      throw RuntimeError(
        exitCode: .inputMissing,
        message: "Cannot add a key for '\(name)' to '\(path)': it has no '\(clusterSecret)', so "
          + "nobody listens with it. Use the folder that 'mrdib keys new' made.")
    }
    let cluster = try KeyFile.load(clusterPublic, .open)
    let allowedFile = "\(allowedFolder)/\(name).public"
    for file in [allowedFile, other.nodeSecret, other.clusterPublic] { try checkFree(file) }
    let node = KeyFile(name: name, pair: try .fresh())
    try makeFolder(other.path)
    try cluster.save(to: other.clusterPublic, .open)
    try node.save(to: other.nodeSecret, .secret)
    try makeFolder(allowedFolder)
    try node.save(to: allowedFile, .open)
  }

  private func makeFolder(_ path: String) throws {
    // The longest name of a key, in the folder of those that are allowed.
    try RuntimeError.checkRoom(in: path, for: 80)
    guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
      throw RuntimeError(
        exitCode: .cannotCreate,
        message: "Cannot make the key folder '\(path)': \(String(cString: strerror(errno))).")
    }
    try KeyAccess.checkFolder(path)
  }

  /// A key that is replaced locks out everybody who has the old one.
  private func checkFree(_ file: String) throws {
    guard access(file, F_OK) != 0 else {
      throw RuntimeError(
        exitCode: .cannotCreate,
        message: "Cannot make new keys: '\(file)' is there already. Choose another folder or name, "
          + "or delete the old keys first.")
    }
  }
}
