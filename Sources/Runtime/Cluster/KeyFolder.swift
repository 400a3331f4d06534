import Files
import Foundation
import Transport

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The keys of a cluster, or of one machine in it.
///
///     cluster.public         the key that every listening process of the cluster must have
///     node.secret            the key with which this machine's processes connect
///     cluster.secret         for coordinator and servers: the key pair of all listening sockets
///     allowed/NAME.public    for coordinator and servers: the keys that may connect
///
/// Coordinator and servers share one pair, so that a worker can authenticate any server by
/// `cluster.public`.
package struct KeyFolder: Sendable, Equatable {
  package let path: String

  package init(_ path: String) { self.path = path }

  var clusterSecret: String { "\(path)/cluster.secret" }
  var clusterPublic: String { "\(path)/cluster.public" }
  var nodeSecret: String { "\(path)/node.secret" }
  var allowedFolder: String { "\(path)/allowed" }

  /// Whether a process can listen with it.
  var canListen: Bool { FileManager.default.fileExists(atPath: clusterSecret) }

  /// The security settings of a process.
  ///
  /// - Parameter listens: whether others connect to it.
  /// - Throws: ``RuntimeError`` or `TransportError` when a key is missing, malformed or readable by
  ///   other users.
  package func security(listens: Bool) throws -> Security {
    try KeyAccess.checkFolder(path)
    let cluster = try KeyFile.load(clusterPublic, .open)
    var security = CurveSecurity(
      node: try secret(nodeSecret).pair, clusterKey: cluster.publicKey)
    if listens {
      let own = try secret(clusterSecret)
      guard own.pair.publicKey == cluster.publicKey else {
        throw RuntimeError(
          exitCode: .configuration,
          message: "Cannot use the keys in '\(path)': cluster.public and cluster.secret do not "
            + "belong together. Copy both from the same folder.")
      }
      security.listening = .init(
        cluster: own.pair, allowed: try allowed(), allowedNow: { self.allowedNow() })
    }
    return .curve(security)
  }

  private func secret(_ path: String) throws -> (name: String, pair: CurveKeyPair) {
    let file = try KeyFile.load(path, .secret)
    guard let pair = file.pair else {
      throw RuntimeError(
        exitCode: .dataMalformed,
        message: "Cannot use the key file '\(path)': it has no secret key. Copy the secret file, "
          + "not the public one.")
    }
    return (file.name, pair)
  }

  /// Limited, because every unusable file would cause a line each second.
  private static let log = RateLimitedLog(label: "mrdib.keys", limit: RateLimit(lines: 20))

  /// The keys that may connect now. An unusable file is skipped; nil if the folder cannot be read.
  private func allowedNow() -> [CurvePublicKey: String]? {
    do {
      try KeyAccess.checkFolder(allowedFolder)
      var keys: [CurvePublicKey: String] = [:]
      for path in try allowedFiles() {
        do {
          let file = try KeyFile.load(path, .open)
          keys[file.publicKey] = file.name
        } catch let error as RuntimeError where error.exitCode == .system {
          // A key that cannot be read for lack of descriptors is not revoked.
          throw error
        } catch {
          Self.log.warning("\(error)")
        }
      }
      return keys
    } catch {
      Self.log.warning("\(error) Until then the keys that were read before stay allowed.")
      return nil
    }
  }

  /// Limited, because the network thread reads all of them when a peer connects.
  private static let mostAllowed = 4096

  private func allowedFiles() throws -> [String] {
    do {
      return try PlainFile.names(in: allowedFolder, atMost: Self.mostAllowed)
        .filter { $0.hasSuffix(".public") }.map { "\(allowedFolder)/\($0)" }
    } catch  where error.isTooManyOpenFiles {
      throw RuntimeError.system(
        "read the folder of keys '\(allowedFolder)'", errno: EMFILE, exitCode: .system)
    } catch {
      throw RuntimeError(
        exitCode: .configuration,
        message: "Cannot use the keys in '\(allowedFolder)': \(error.reason). Keep only public "
          + "keys there.")
    }
  }

  /// The keys that may connect. Files other than `*.public` are ignored.
  ///
  /// - Throws: ``RuntimeError``, also when there is no key.
  func allowed() throws -> [CurvePublicKey: String] {
    try KeyAccess.checkFolder(allowedFolder)
    var keys: [CurvePublicKey: String] = [:]
    for path in try allowedFiles() {
      let file = try KeyFile.load(path, .open)
      keys[file.publicKey] = file.name
    }
    guard !keys.isEmpty else {
      throw RuntimeError(
        exitCode: .configuration,
        message: "Cannot use the keys in '\(path)': no peer could connect, because "
          + "'\(allowedFolder)' holds no public key. 'mrdib keys add' adds one.")
    }
    return keys
  }
}

extension KeyFolder {
  /// The name of the first pair of a new folder.
  private static let firstNode = "node"

  /// Creates the keys of a new cluster: the pair of its listening sockets, and one pair that may
  /// connect, which is enough if all machines share it.
  ///
  /// - Throws: ``RuntimeError`` when the folder already holds keys or cannot be written.
  package func create() throws {
    try makeFolder(path)
    for file in [clusterSecret, clusterPublic, nodeSecret] { try checkFree(file) }
    let cluster = KeyFile(name: "cluster", pair: try .fresh())
    let node = KeyFile(name: Self.firstNode, pair: try .fresh())
    try makeFolder(allowedFolder)
    try node.save(to: "\(allowedFolder)/\(node.name).public", .open)
    try node.save(to: nodeSecret, .secret)
    try cluster.save(to: clusterPublic, .open)
    // Written last: a folder with this file is complete.
    try cluster.save(to: clusterSecret, .secret)
  }

  /// Creates a pair for another machine: adds its public key to `allowed` here, and writes the
  /// files that the machine needs into a folder of their own.
  ///
  /// - Throws: ``RuntimeError`` when the name is taken, or the folders cannot be written.
  package func add(_ name: String, into other: KeyFolder) throws {
    guard KeyName.isValid(name) else {
      throw RuntimeError(
        exitCode: .usage,
        message: "Cannot name a key '\(name)': use \(KeyName.rule).")
    }
    try KeyAccess.checkFolder(path)
    guard access(clusterSecret, F_OK) == 0 else {
      throw RuntimeError(
        exitCode: .inputMissing,
        message: "Cannot add a key for '\(name)' to '\(path)': it has no '\(clusterSecret)', so no "
          + "process can listen with it. Use the folder that 'mrdib keys new' made.")
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
    // 80 bytes hold the longest file name of a key.
    try RuntimeError.checkRoom(in: path, for: 80)
    guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
      throw RuntimeError(
        exitCode: .cannotCreate,
        message: "Cannot make the key folder '\(path)': \(String(cString: strerror(errno))).")
    }
    try KeyAccess.checkFolder(path)
  }

  /// Refuses to replace a key: all processes with the old one would be locked out.
  private func checkFree(_ file: String) throws {
    guard access(file, F_OK) != 0 else {
      throw RuntimeError(
        exitCode: .cannotCreate,
        message: "Cannot make new keys: '\(file)' exists already. Choose another folder or name, "
          + "or delete the old keys first.")
    }
  }
}

extension KeyFolder {
  /// Checks that a whole cluster can run with this folder: it can listen, and its own key may
  /// connect.
  ///
  /// - Throws: as ``security(listens:)``, and ``RuntimeError`` when the own key is not allowed:
  ///   every node would be refused until the start times out.
  func checkClusterOnThisMachine() throws {
    guard case .curve(let keys) = try security(listens: true) else { return }
    guard keys.listening?.allowed[keys.node.publicKey] != nil else {
      throw RuntimeError(
        exitCode: .configuration,
        message: "Cannot start a cluster with the keys in '\(path)': this machine's own key "
          + "(node.secret) is not in '\(allowedFolder)', so its servers and workers could not "
          + "connect. Copy its public key there, or make new keys with 'mrdib keys new'.")
    }
  }

  /// The public keys of the folder and what it can be used for, as lines without any secret.
  ///
  /// - Throws: as ``security(listens:)``, for a folder that cannot be used.
  package func lines() throws -> [String] {
    guard case .curve(let keys) = try security(listens: canListen) else { return [] }
    let node = try KeyFile.load(nodeSecret, .secret)
    var lines = [
      "cluster\t\(keys.clusterKey)", "this node\t\(keys.node.publicKey)\t\(node.name)",
    ]
    guard let listening = keys.listening else {
      return lines + ["usable for\tworkers only: it has no cluster.secret"]
    }
    for (key, name) in listening.allowed.sorted(by: { $0.value < $1.value }) {
      lines.append("allowed\t\(key)\t\(name)")
    }
    if listening.allowed[keys.node.publicKey] == nil {
      lines.append("warning\tthis node's own key is not allowed here")
    }
    return lines + ["usable for\tcoordinator, servers and workers"]
  }
}
