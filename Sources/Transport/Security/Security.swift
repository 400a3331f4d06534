/// What protects the connections of a loop.
public enum Security: Sendable {
  /// Nothing: everybody who reaches a port may speak, and everybody on the way can read. Listens
  /// on this machine only, unless whoever started the process says that the network is trusted.
  case plain(trustsNetwork: Bool = false)
  /// Everything is encrypted, and both sides prove who they are (CurveZMQ, ZeroMQ RFC 26).
  case curve(CurveSecurity)

  var isEncrypted: Bool {
    if case .curve = self { true } else { false }
  }
}

/// The keys that one process needs.
///
/// All listening sockets of a cluster have one key pair in common. A process that is told the
/// address of another therefore needs to know no further key to tell it from a stranger.
public struct CurveSecurity: Sendable {
  /// What a process needs that others connect to.
  public struct Listening: Sendable {
    /// The pair of the cluster's listening sockets.
    public var cluster: CurveKeyPair
    /// Who may connect, each with a name.
    public var allowed: [CurvePublicKey: String]
    /// Who may connect now, asked on the network thread before somebody is judged, at most once a
    /// second; nil: as before.
    public var allowedNow: @Sendable () -> [CurvePublicKey: String]?

    public init(
      cluster: CurveKeyPair, allowed: [CurvePublicKey: String],
      allowedNow: @escaping @Sendable () -> [CurvePublicKey: String]? = { nil }
    ) {
      self.cluster = cluster
      self.allowed = allowed
      self.allowedNow = allowedNow
    }
  }

  /// With which this process connects to others.
  public var node: CurveKeyPair
  /// What it expects of everything that it connects to.
  public var clusterKey: CurvePublicKey
  /// Nil for a process that only connects.
  public var listening: Listening?

  public init(node: CurveKeyPair, clusterKey: CurvePublicKey, listening: Listening? = nil) {
    self.node = node
    self.clusterKey = clusterKey
    self.listening = listening
  }
}

extension Security {
  /// - Throws: ``TransportError`` when nothing would keep strangers away from `endpoint`, or the
  ///   keys for listening are missing.
  func checkListening(at endpoint: Endpoint) throws(TransportError) {
    switch self {
    case .plain(let trustsNetwork):
      guard trustsNetwork || endpoint.isOnThisMachine else {
        throw TransportError(
          .insecure,
          "Cannot listen at \(endpoint): other machines could connect and nothing would keep"
            + " strangers out; give --keys FOLDER ('mrdib keys new' makes one), or"
            + " --insecure-network if everybody on that network is trusted.")
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
