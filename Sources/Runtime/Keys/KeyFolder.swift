import Files
import Foundation
import Transport

/// The keys of a cluster, or of one machine that takes part in it.
///
///     cluster.public         what everything that one connects to has to prove
///     node.secret            with which this machine's processes connect
///     cluster.secret         for coordinator and servers: the pair of all listening sockets
///     allowed/NAME.public    for coordinator and servers: who may connect
///
/// Coordinator and servers share one pair, so that a worker that is told a server's address needs
/// no other key to know that it is one.
public struct KeyFolder: Sendable, Equatable {
  public let path: String

  public init(_ path: String) { self.path = path }

  var clusterSecret: String { "\(path)/cluster.secret" }
  var clusterPublic: String { "\(path)/cluster.public" }
  var nodeSecret: String { "\(path)/node.secret" }
  var allowedFolder: String { "\(path)/allowed" }

  /// Whether it has what a listening process needs.
  var canListen: Bool { FileManager.default.fileExists(atPath: clusterSecret) }

  /// What a process is protected with.
  ///
  /// - Parameter listens: whether others connect to it.
  /// - Throws: ``RuntimeError`` or `TransportError` with what is missing, malformed or open to
  ///   others.
  public func security(listens: Bool) throws -> Security {
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

  /// As many lines as files that cannot be used, every second, would be too many.
  private static let log = RateLimitedLog(label: "mrdib.keys", limit: RateLimit(lines: 20))

  /// Who may connect by now. A file that cannot be used lets nobody in; nil if the folder cannot be
  /// read at all.
  private func allowedNow() -> [CurvePublicKey: String]? {
    do {
      try KeyAccess.checkFolder(allowedFolder)
      var keys: [CurvePublicKey: String] = [:]
      for path in try allowedFiles() {
        do {
          let file = try KeyFile.load(path, .open)
          keys[file.publicKey] = file.name
        } catch let error as RuntimeError where error.exitCode == .system {
          // Of a key that cannot be read for lack of descriptors it is not known that it is gone.
          throw error
        } catch {
          Self.log.warning("\(error)")
        }
      }
      return keys
    } catch {
      Self.log.warning("\(error) Until then those may connect who could before.")
      return nil
    }
  }

  /// The network thread reads all of them whenever somebody connects, so that they are few.
  private static let mostAllowed = 4096

  private func allowedFiles() throws -> [String] {
    do {
      return try PlainFile.names(in: allowedFolder, atMost: Self.mostAllowed)
        .filter { $0.hasSuffix(".public") }.map { "\(allowedFolder)/\($0)" }
    } catch where error.isNoDescriptor {
      throw RuntimeError.system(
        "read the folder of keys '\(allowedFolder)'", errno: EMFILE, exitCode: .system)
    } catch {
      throw RuntimeError(
        exitCode: .configuration,
        message: "Cannot use the keys in '\(allowedFolder)': \(error.reason). Keep nothing else "
          + "there.")
    }
  }

  /// Who may connect. Other files than `*.public` are none of our business.
  ///
  /// - Throws: ``RuntimeError`` also when nobody may.
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
        message: "Cannot use the keys in '\(path)': nobody may connect, because "
          + "'\(allowedFolder)' holds no public key. 'mrdib keys add' puts one there.")
    }
    return keys
  }
}
