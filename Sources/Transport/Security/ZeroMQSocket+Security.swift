internal import CZeroMQ

extension ZeroMQSocket {
  /// What CURVE adds to a frame: name of the command, nonce, authenticator, flags.
  private static let curveOverheadBytes: Int64 = 64

  /// Must come before the first bind or connect.
  func apply(_ security: Security) throws(TransportError) {
    guard case .curve(let keys) = security else { return }
    guard ZeroMQContext.hasCurve else {
      throw TransportError.noCurve(attempt: "encrypt a connection")
    }
    // libzmq compares the limit with the encrypted frame.
    try set(
      ZMQ_MAXMSGSIZE, Int64(options.maximumFrameBytes) + Self.curveOverheadBytes,
      "maximum frame size")
    switch kind {
    case .dealer:
      try set(ZMQ_CURVE_SERVERKEY, keys.clusterKey.bytes, "cluster key")
      try set(ZMQ_CURVE_PUBLICKEY, keys.node.publicKey.bytes, "public key")
      try set(ZMQ_CURVE_SECRETKEY, keys.node.secretBytes, "secret key")
    case .router:
      guard let listening = keys.listening else { return }
      try set(ZMQ_CURVE_SERVER, 1, "CURVE server role")
      try set(ZMQ_CURVE_SECRETKEY, listening.cluster.secretBytes, "secret key")
      try set(ZMQ_ZAP_DOMAIN, Array(Authenticator.domain.utf8), "ZAP domain")
      // Without it everybody is let in when nobody answers libzmq's questions.
      try set(ZMQ_ZAP_ENFORCE_DOMAIN, 1, "ZAP enforcement")
    }
  }
}
