import Foundation
import Protocol
import Synchronization
import Testing
import Transport

extension TransportTests {
  @Suite("Before a peer is authenticated")
  struct ConnectionGuardTests {
    /// ZeroMQ's greeting with CURVE: all that a peer without a key can send.
    private static let greeting: [UInt8] =
      [0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 1] + Array("CURVE".utf8)
      + [UInt8](repeating: 0, count: 47)

    private func port(of endpoint: Endpoint) throws -> UInt16 {
      guard case .tcp(_, let port?) = endpoint.kind else { throw TimedOut() }
      return port
    }

    private func expectService(of server: Guarded, at endpoint: Endpoint, _ keys: TestKeys) throws {
      let client = try Guarded(keys.connecting)
      try client.node.send(WireMessage("hello"), to: try client.node.connect(endpoint))
      #expect(server.node.received.next()?.message.text == "hello")
      try client.stop()
    }

    @Test("idle connections are bounded, make room for peers with keys, and leave nothing behind")
    func idle() throws {
      let keys = try TestKeys()
      let server = try Guarded(keys.listening)
      let endpoint = try server.bind()
      let before = ConnectionGuard.unfinishedCount
      // More than the guard allows one address.
      let limit = min(max(ConnectionGuard.descriptorLimit / 4, 16), 512) / 2
      var idle: [OpenSocket] = []
      for _ in 0..<limit + 100 { idle.append(try OpenSocket(port: port(of: endpoint))) }
      #expect(try eventually { try server.node.statistics().connectionsDisplaced >= 100 })
      #expect(ConnectionGuard.isLinked)
      #expect(eventually { ConnectionGuard.unfinishedCount <= before + limit })
      // The oldest connections were closed first.
      #expect(idle[0].isClosed(within: 60))
      try expectService(of: server, at: endpoint, keys)
      #expect(
        server.incidents.all.contains {
          if case .connectionsLimited = $0 { true } else { false }
        })
      idle = []
      #expect(eventually { ConnectionGuard.unfinishedCount <= before })
      try server.stop()
    }

    @Test("a frame that is longer than a handshake is refused when it is announced")
    func announced() throws {
      let keys = try TestKeys()
      // libzmq's own handshake timeout is longer than this test.
      let server = try Guarded(keys.listening) { $0.socket.handshakeTimeout = .seconds(600) }
      let endpoint = try server.bind()
      let stranger = try OpenSocket(port: port(of: endpoint))
      stranger.send(Self.greeting + [6] + Self.bigEndian(250 << 20))
      #expect(stranger.isClosed(within: 60))
      #expect(try eventually { try server.node.statistics().connectionsOversized >= 1 })
      try expectService(of: server, at: endpoint, keys)
      try server.stop()
    }

    @Test("more bytes than a handshake has end a connection, however small its frames are")
    func manyFrames() throws {
      let server = try Guarded(.plain())
      let stranger = try OpenSocket(port: port(of: server.bind()))
      // ZeroMQ's protocol without a handshake, which libzmq accepts if there are no
      // keys: an empty name, then messages of one byte.
      stranger.send([1, 0])
      for _ in 0..<1000 { stranger.send([2, 0, 65]) }
      #expect(stranger.isClosed(within: 60))
      #expect(try eventually { try server.node.statistics().connectionsOversized >= 1 })
      #expect(server.node.received.count <= 1024 / 3)
      try server.stop()
    }

    @Test("a handshake may come in pieces of one byte")
    func pieces() throws {
      let keys = try TestKeys()
      // Byte by byte a handshake takes longer than usual, especially on a busy machine.
      let isPatient = { (settings: inout NetworkLoopSettings) in
        settings.socket.handshakeTimeout = .seconds(100)
      }
      let server = try Guarded(keys.listening, configure: isPatient)
      let relay = try SlowRelay(to: port(of: server.bind()))
      let client = try Guarded(keys.connecting, configure: isPatient)
      let peer = try client.node.connect(try Endpoint("tcp://127.0.0.1:\(relay.port)"))
      // Longer than what was allowed before.
      try client.node.send(WireMessage(frames: [pattern(5000)]), to: peer)
      #expect(server.node.received.next()?.message.byteCount == 5000)
      try client.stop()
      try server.stop()
      relay.stop()
    }

    @Test("the first message may be large without keys, too")
    func plain() throws {
      let server = try Guarded(.plain())
      let client = try Guarded(.plain())
      let peer = try client.node.connect(try server.bind())
      try client.node.send(WireMessage(frames: [pattern(1 << 20)]), to: peer)
      #expect(server.node.received.next()?.message.byteCount == 1 << 20)
      try client.stop()
      try server.stop()
    }

    private static func bigEndian(_ value: UInt64) -> [UInt8] {
      withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }
  }
}

/// A connection without any protocol, which stays open.
final class OpenSocket: Sendable {
  let descriptor: Int32

  init(port: UInt16) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    let connected = Self.withLoopback(port: port) { [descriptor] in connect(descriptor, $0, $1) }
    try #require(connected == 0)
  }

  init(accepting listener: Int32) throws {
    descriptor = accept(listener, nil, nil)
    try #require(descriptor >= 0)
  }

  deinit { close(descriptor) }

  func send(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes {
        Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }

  /// The next bytes; empty when the other side has closed, or nothing arrives in time.
  func receive(atMost size: Int, within seconds: Double = 60) -> [UInt8] {
    var state = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard poll(&state, 1, Int32(seconds * 1000)) > 0 else { return [] }
    var buffer = [UInt8](repeating: 0, count: size)
    let count = recv(descriptor, &buffer, size, 0)
    return Array(buffer.prefix(max(0, count)))
  }

  /// Whether the other side closes the connection; bytes before that are read.
  func isClosed(within seconds: Double) -> Bool {
    let deadline = Date().addingTimeInterval(seconds)
    var buffer = [UInt8](repeating: 0, count: 4096)
    while Date() < deadline {
      var state = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard poll(&state, 1, 100) > 0 else { continue }
      if recv(descriptor, &buffer, buffer.count, 0) <= 0 { return true }
    }
    return false
  }

  func shutDown() { shutdown(descriptor, Int32(SHUT_RDWR)) }

  static func withLoopback<Result>(
    port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
  ) -> Result {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }
}

/// Carries one connection to a port, byte by byte.
final class SlowRelay: Sendable {
  let port: UInt16
  private let listener: Int32
  private let sides = Mutex<[OpenSocket]>([])

  init(to target: UInt16) throws {
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    let bound = OpenSocket.withLoopback(port: 0) { [listener] in bind(listener, $0, $1) }
    try #require(bound == 0 && listen(listener, 8) == 0)
    var address = sockaddr_in()
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    _ = withUnsafeMutablePointer(to: &address) { [listener] pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        getsockname(listener, $0, &size)
      }
    }
    port = UInt16(bigEndian: address.sin_port)
    Thread.detachNewThread { [self] in
      guard let near = try? OpenSocket(accepting: listener),
        let far = try? OpenSocket(port: target)
      else { return }
      for side in [near, far] {
        var on: Int32 = 1
        setsockopt(side.descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, 4)
      }
      sides.withLock { $0 = [near, far] }
      for (from, to) in [(near, far), (far, near)] {
        Thread.detachNewThread {
          while case let bytes = from.receive(atMost: 1), !bytes.isEmpty { to.send(bytes) }
          to.shutDown()
        }
      }
    }
  }

  func stop() {
    for side in sides.withLock({ $0 }) { side.shutDown() }
    close(listener)
  }
}
