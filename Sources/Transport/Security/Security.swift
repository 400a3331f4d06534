/// How the connections of a loop are protected.
package enum Security: Sendable {
  /// Not at all: any process that reaches the port can send messages, and the network can read
  /// them. Listens on this machine only, unless the user has declared the network as trusted.
  case plain(trustsNetwork: Bool = false)
  /// Everything is encrypted, and both sides authenticate (CurveZMQ, ZeroMQ RFC 26).
  case curve(CurveSecurity)

  var isEncrypted: Bool {
    if case .curve = self { true } else { false }
  }
}

/// The keys of one process.
///
/// All listening sockets of a cluster share one key pair, so the address of a process is all that
/// is needed to connect to it and to authenticate it.
package struct CurveSecurity: Sendable {
  /// The keys of a process that listens.
  package struct Listening: Sendable {
    /// The pair of the cluster's listening sockets.
    package var cluster: CurveKeyPair
    /// The keys that may connect, each with a name.
    package var allowed: [CurvePublicKey: String]
    /// Reads the list of allowed keys again; nil if it did not change or cannot be read. Called on
    /// the network thread before a key is checked, at most once a second.
    package var allowedNow: @Sendable () -> [CurvePublicKey: String]?

    package init(
      cluster: CurveKeyPair, allowed: [CurvePublicKey: String],
      allowedNow: @escaping @Sendable () -> [CurvePublicKey: String]? = { nil }
    ) {
      self.cluster = cluster
      self.allowed = allowed
      self.allowedNow = allowedNow
    }
  }

  /// The pair with which this process connects to others.
  package var node: CurveKeyPair
  /// The public key of every listening socket of the cluster.
  package var clusterKey: CurvePublicKey
  /// Nil for a process that only connects.
  package var listening: Listening?

  package init(node: CurveKeyPair, clusterKey: CurvePublicKey, listening: Listening? = nil) {
    self.node = node
    self.clusterKey = clusterKey
    self.listening = listening
  }
}

extension Security {
  /// - Throws: ``TransportError`` when `endpoint` would be open to unauthenticated peers, or the
  ///   keys for listening are missing.
  func checkListening(at endpoint: Endpoint) throws(TransportError) {
    switch self {
    case .plain(let trustsNetwork):
      guard trustsNetwork || endpoint.isOnThisMachine else {
        throw TransportError(
          .insecure,
          "Cannot listen at \(endpoint): other machines could connect without authentication; give"
            + " --keys FOLDER ('mrdib keys new' makes one), or --insecure-network if every machine"
            + " on that network is trusted.")
      }
    case .curve(let keys):
      guard keys.listening != nil else {
        throw TransportError(
          .insecure,
          "Cannot listen at \(endpoint): the keys of this process are for connecting only; give it"
            + " the cluster's secret key and the list of allowed keys.")
      }
    }
  }
}
