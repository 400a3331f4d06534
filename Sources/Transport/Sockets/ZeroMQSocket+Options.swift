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
      // Without it a message for an unknown or slow peer is dropped, and the send says "ok".
      try set(ZMQ_ROUTER_MANDATORY, 1, "mandatory routing")
      // A peer that reconnects before its old connection is known to be dead keeps its name. The
      // new connection must win: without this it is ignored for as long as it lasts.
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

  /// The name, unlike the value, may appear in a message: the bytes can be a secret key.
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
