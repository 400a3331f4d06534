internal import CZeroMQ

extension ZeroMQSocket {
  func applyOptions() throws(TransportError) {
    try set(ZMQ_MAXMSGSIZE, Int64(options.maximumFrameBytes), "maximum frame size")
    try set(ZMQ_SNDHWM, options.sendHighWaterMark, "send high-water mark")
    try set(ZMQ_RCVHWM, options.receiveHighWaterMark, "receive high-water mark")
    try set(ZMQ_LINGER, options.linger, "linger time")
    try set(ZMQ_HEARTBEAT_IVL, options.heartbeatInterval, "heartbeat interval")
    try set(ZMQ_HEARTBEAT_TIMEOUT, options.heartbeatTimeout, "heartbeat timeout")
    try set(ZMQ_HEARTBEAT_TTL, options.heartbeatTimeToLive, "heartbeat time to live")
    try set(ZMQ_TCP_MAXRT, options.acknowledgementTimeout, "acknowledgement timeout")
    try set(ZMQ_CONNECT_TIMEOUT, options.connectTimeout, "connect timeout")
    try set(ZMQ_RECONNECT_IVL, options.reconnectInterval, "reconnect interval")
    try set(ZMQ_RECONNECT_IVL_MAX, options.reconnectIntervalMaximum, "longest reconnect interval")
    try set(ZMQ_HANDSHAKE_IVL, options.handshakeTimeout, "handshake timeout")
    try set(ZMQ_TCP_KEEPALIVE, options.keepsTCPAlive ? 1 : 0, "tcp keep-alive")
    switch kind {
    case .dealer:
      try set(ZMQ_ROUTING_ID, RoutingID.fresh(), "name")
    case .router:
      // Without this, a message for an unknown or slow peer is dropped and sending it succeeds.
      try set(ZMQ_ROUTER_MANDATORY, 1, "mandatory routing")
      // A peer may reconnect under its name before its old connection is known to be dead. Without
      // this, the new connection is ignored for as long as it lasts.
      try set(ZMQ_ROUTER_HANDOVER, 1, "connection hand-over")
    }
  }

  func allowIPv6(for endpoint: Endpoint) throws(TransportError) {
    try set(ZMQ_IPV6, options.allowsIPv6 || endpoint.isIPv6 ? 1 : 0, "IPv6")
  }

  func set(_ option: CInt, _ duration: Duration, _ name: String) throws(TransportError) {
    try set(option, duration.millisecondsRoundedUp, name)
  }

  func set(_ option: CInt, _ value: Int, _ name: String) throws(TransportError) {
    try set(option, bytesOf: CInt(clamping: value), name)
  }

  func set(_ option: CInt, _ value: Int64, _ name: String) throws(TransportError) {
    try set(option, bytesOf: value, name)
  }

  /// Only the name appears in an error message: the bytes can be a secret key.
  func set(_ option: CInt, _ bytes: [UInt8], _ name: String) throws(TransportError) {
    try call("set the \(name) of a socket") { zmq_setsockopt($0, option, bytes, bytes.count) }
  }

  private func set<Value: FixedWidthInteger>(
    _ option: CInt, bytesOf value: Value, _ name: String
  ) throws(TransportError) {
    var value = value
    let size = MemoryLayout<Value>.size
    try call("set the \(name) of a socket to \(value)") { zmq_setsockopt($0, option, &value, size) }
  }

  func text(of option: CInt) throws(TransportError) -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    var size = buffer.count
    try call("read the address of a socket") { zmq_getsockopt($0, option, &buffer, &size) }
    return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}

extension ZeroMQSocket {
  /// Bytes that CURVE adds to a frame: name of the command, nonce, authenticator, flags.
  private static let curveOverheadBytes: Int64 = 64

  /// Must be called before the first bind or connect.
  func apply(_ security: Security) throws(TransportError) {
    guard case .curve(let keys) = security else { return }
    guard ZeroMQContext.hasCurve else {
      throw TransportError.noCurve(attempt: "encrypt a connection")
    }
    // libzmq applies the limit to the encrypted frame.
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
      // Without this, libzmq accepts every peer while no authenticator answers.
      try set(ZMQ_ZAP_ENFORCE_DOMAIN, 1, "ZAP enforcement")
    }
  }
}
