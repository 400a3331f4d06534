import Foundation
import Protocol
import Synchronization
import Testing
import Transport

extension TransportTests {
  @Suite("Which peers are admitted")
  struct SecurityTests {
    @Test("with the right keys messages of every size pass, both ways")
    func rightKey() throws {
      let cluster = try TestKeys()
      let server = try Guarded(cluster.listening)
      let client = try Guarded(cluster.connecting)
      let peer = try client.node.connect(try server.bind())
      for count in [1, 100, 70_000, 1 << 20] {
        try client.node.send(WireMessage(frames: [pattern(count)]), to: peer)
        let message = try #require(server.node.received.next())
        #expect(message.message.contents == [pattern(count).array(of: UInt8.self)])
        try server.node.send(message.message, to: message.peer)
        #expect(client.node.received.next()?.message.byteCount == count)
      }
      let statistics = try server.node.statistics()
      #expect(statistics.keysRefused == 0 && statistics.handshakesFailed == 0)
      try server.stop()
      try client.stop()
    }

    @Test("a frame of the largest size passes although encryption makes it longer")
    func largestFrame() throws {
      let cluster = try TestKeys()
      let server = try Guarded(cluster.listening) { $0.socket.maximumFrameBytes = 100_000 }
      let client = try Guarded(cluster.connecting) { $0.socket.maximumFrameBytes = 100_000 }
      let peer = try client.node.connect(try server.bind())
      try client.node.send(WireMessage(frames: [pattern(100_000)]), to: peer)
      #expect(server.node.received.next()?.message.byteCount == 100_000)
      try server.stop()
      try client.stop()
    }

    @Test("keys protect a Unix socket, too")
    func ipc() throws {
      try withSocketDirectory { directory in
        let cluster = try TestKeys()
        let server = try Guarded(cluster.listening)
        let endpoint = try server.node.bind("ipc://\(directory)/s").endpoint
        let client = try Guarded(cluster.connecting)
        try client.node.send(WireMessage("hello"), to: try client.node.connect(endpoint))
        #expect(server.node.received.next()?.message.text == "hello")
        let stranger = try Guarded(.plain())
        try stranger.node.send(WireMessage("hello"), to: try stranger.node.connect(endpoint))
        #expect(try eventually { try server.node.statistics().handshakesFailed > 0 })
        #expect(server.node.received.next(within: 0.3) == nil)
        for side in [server, client, stranger] { try side.stop() }
      }
    }

    /// Connects to a listening socket and sends a message; returns the incidents of both sides.
    private func attempt(
      _ security: Security, at cluster: TestKeys
    ) throws -> (
      server: TransportStatistics, serverIncidents: [NetworkIncident],
      clientIncidents: [NetworkIncident], endpoint: Endpoint
    ) {
      let server = try Guarded(cluster.listening)
      let client = try Guarded(security)
      let endpoint = try server.bind()
      let peer = try client.node.connect(endpoint)
      try client.node.send(WireMessage("let me in"), to: peer)
      #expect(
        try eventually {
          let statistics = try server.node.statistics()
          return statistics.keysRefused + statistics.handshakesFailed > 0
        })
      #expect(eventually { !client.incidents.all.isEmpty })
      #expect(server.node.received.next(within: 0.3) == nil, "the handler was called")
      let statistics = try server.node.statistics()
      #expect(statistics.messagesReceived == 0 && statistics.messagesDropped == 0)
      // Peers with the right keys are served as before.
      let friend = try Guarded(cluster.connecting)
      try friend.node.send(WireMessage("it is me"), to: try friend.node.connect(endpoint))
      #expect(server.node.received.next()?.message.text == "it is me")
      for side in [server, client, friend] { try side.stop() }
      return (statistics, server.incidents.all, client.incidents.all, endpoint)
    }

    @Test("a client without a key is refused and reports that it needs keys")
    func noKey() throws {
      let result = try attempt(.plain(), at: try TestKeys())
      #expect(result.server.handshakesFailed > 0 && result.server.keysRefused == 0)
      // Which side notices first and closes the connection is a matter of timing.
      guard case .handshakeFailed(let failure) = result.serverIncidents.first else {
        throw TimedOut()
      }
      #expect(failure.cause == .otherMechanism || failure.cause == .hungUp)
      let message = try #require(result.clientIncidents.first).description
      #expect(message.contains("\(result.endpoint)"), "\(message)")
      #expect(message.contains("--keys FOLDER"), "\(message)")
    }

    @Test("a client with a key that is not allowed is refused; both sides report it")
    func keyNotAllowed() throws {
      let cluster = try TestKeys()
      let stranger = try CurveKeyPair.fresh()
      let result = try attempt(
        .curve(CurveSecurity(node: stranger, clusterKey: cluster.cluster.publicKey)), at: cluster)
      #expect(result.server.keysRefused >= 1 && result.server.handshakesFailed == 0)
      #expect(
        result.serverIncidents.first == .keyRefused(stranger.publicKey, address: "127.0.0.1"))
      #expect(
        result.serverIncidents.first?.description.contains("\(stranger.publicKey)") == true)
      #expect(result.clientIncidents.first?.description.contains("does not allow") == true)
    }

    @Test("a client with another cluster's key is refused, although its own key is allowed")
    func otherCluster() throws {
      let cluster = try TestKeys()
      let other = try CurveKeyPair.fresh().publicKey
      let result = try attempt(
        .curve(CurveSecurity(node: cluster.node, clusterKey: other)), at: cluster)
      #expect(result.server.handshakesFailed > 0 && result.server.keysRefused == 0)
      #expect(result.serverIncidents.first?.description.contains("another cluster's key") == true)
      #expect(result.clientIncidents.first?.description.contains("cluster key is not") == true)
    }

    @Test("a client with keys sends nothing to a server without keys")
    func plainServer() throws {
      let server = try Guarded(.plain())
      let client = try Guarded(try TestKeys().connecting)
      let peer = try client.node.connect(try server.bind())
      try client.node.send(WireMessage("a secret"), to: peer)
      #expect(eventually { !client.incidents.all.isEmpty })
      let message = try #require(client.incidents.all.first).description
      #expect(message.contains("does not encrypt"), "\(message)")
      #expect(server.node.received.next(within: 0.3) == nil)
      try server.stop()
      try client.stop()
    }

    @Test("a refused client connects by itself once the server is restarted with its key")
    func admittedLater() throws {
      let cluster = try TestKeys()
      let late = try CurveKeyPair.fresh()
      let first = try Guarded(cluster.listening)
      let endpoint = try first.bind()
      let client = try Guarded(
        .curve(CurveSecurity(node: late, clusterKey: cluster.cluster.publicKey))
      ) { $0.socket.reconnectIntervalMaximum = .milliseconds(200) }
      let peer = try client.node.connect(endpoint)
      #expect(try eventually { try first.node.statistics().keysRefused > 1 }, "it retries")
      try first.stop()
      let second = try Guarded(cluster.listening(allowing: [late.publicKey: "late"]))
      _ = try second.node.bind("\(endpoint)")
      #expect(eventually { client.incidents.all.contains(.connected) })
      try client.node.send(WireMessage("at last"), to: peer)
      #expect(second.node.received.next()?.message.text == "at last")
      try second.stop()
      try client.stop()
    }

    @Test("peers without CURVE get ZeroMQ's greeting and nothing else", arguments: Stranger.all)
    func strangers(_ stranger: Stranger) throws {
      let server = try Guarded(try TestKeys().listening) {
        // Connections that libzmq closes without an event are counted a second after this time.
        $0.socket.handshakeTimeout = .milliseconds(500)
      }
      guard case .tcp(_, let port?) = try server.bind().kind else { throw TimedOut() }
      let answer = try RawSocket.exchange(stranger.bytes, port: port)
      // Signature, version and the mechanism CURVE; no command and no message after that.
      #expect(answer.count <= 64, "\(stranger): \(answer.count) bytes")
      if answer.count == 64 {
        #expect(answer[12..<17].elementsEqual("CURVE".utf8))
      }
      #expect(server.node.received.next(within: 0.1) == nil)
      #expect(try server.node.statistics().messagesReceived == 0)
      #expect(try eventually { try server.node.statistics().handshakesFailed == 1 })
      try server.stop()
    }

    @Test("a flood of unauthenticated peers is counted exactly and does not block other peers")
    func flood() throws {
      let cluster = try TestKeys()
      let server = try Guarded(cluster.listening)
      let endpoint = try server.bind()
      guard case .tcp(_, let port?) = endpoint.kind else { throw TimedOut() }
      let client = try Guarded(cluster.connecting)
      let peer = try client.node.connect(endpoint)
      #expect(eventually { client.incidents.all.contains(.connected) })
      // Twice as many events as libzmq's queue holds, while the loop does not read them.
      let bytes = try #require(
        Stranger.all.first { $0.testDescription.contains("without security") }
      ).bytes
      try server.node.onLoop { _ in
        for _ in 0..<2000 { _ = try RawSocket.exchange(bytes, port: port) }
      }
      #expect(try eventually { try server.node.statistics().handshakesFailed == 2000 })
      try client.node.send(WireMessage("still there?"), to: peer)
      #expect(server.node.received.next()?.message.text == "still there?")
      try server.stop()
      try client.stop()
    }

    @Test("keys that are added or removed while the loop runs count from the next connection on")
    func changedList() throws {
      let cluster = try TestKeys()
      let late = try CurveKeyPair.fresh()
      let list = Mutex<[CurvePublicKey: String]?>(nil)
      let readings = Mutex(0)
      let server = try Guarded(
        .curve(
          CurveSecurity(
            node: cluster.node, clusterKey: cluster.cluster.publicKey,
            listening: .init(
              cluster: cluster.cluster, allowed: [cluster.node.publicKey: "node"],
              allowedNow: {
                readings.withLock { $0 += 1 }
                return list.withLock { $0 }
              }))))
      let endpoint = try server.bind()
      func newcomer() throws -> (side: Guarded, peer: PeerID) {
        let side = try Guarded(
          .curve(CurveSecurity(node: late, clusterKey: cluster.cluster.publicKey))
        ) { $0.socket.reconnectIntervalMaximum = .milliseconds(200) }
        return (side, try side.node.connect(endpoint))
      }
      // A list that cannot be read (nil) changes nothing.
      let first = try newcomer()
      #expect(try eventually { try server.node.statistics().keysRefused > 1 })
      list.withLock { $0 = [late.publicKey: "late"] }
      #expect(eventually { first.side.incidents.all.contains(.connected) })
      try first.side.node.send(WireMessage("late"), to: first.peer)
      #expect(server.node.received.next()?.message.text == "late")
      try first.side.stop()
      list.withLock { $0 = [:] }
      Thread.sleep(forTimeInterval: 1.1)
      let refused = try server.node.statistics().keysRefused
      let second = try newcomer()
      #expect(try eventually { try server.node.statistics().keysRefused > refused })
      #expect(!second.side.incidents.all.contains(.connected))
      // However many peers connect, the list is read at most once a second.
      let (before, start) = (readings.withLock { $0 }, MonotonicClock.now)
      let clients = try (0..<20).map { _ in try newcomer().side }
      #expect(try eventually { try server.node.statistics().keysRefused > refused + 20 })
      let seconds = (MonotonicClock.now - start).components.seconds
      #expect(readings.withLock { $0 } <= before + Int(seconds) + 2)
      for side in [server, second.side] + clients { try side.stop() }
    }

    @Test("two loops of one context cannot both check keys, and the second one fails with advice")
    func oneAuthenticator() throws {
      let cluster = try TestKeys()
      let context = try ZeroMQContext()
      let first = try Node(context: context) { $0.security = cluster.listening }
      let second = try Node(context: context) { $0.security = cluster.listening }
      _ = try first.bind()
      _ = try first.bind()
      let error = #expect(throws: TransportError.self) { try second.bind() }
      #expect(error?.message.contains("a context of its own") == true)
      try first.stop()
      try second.stop()
      try context.terminate()
    }
  }
}

/// The keys of one cluster.
struct TestKeys {
  let cluster: CurveKeyPair
  let node: CurveKeyPair

  init() throws {
    cluster = try .fresh()
    node = try .fresh()
  }

  var connecting: Security {
    .curve(CurveSecurity(node: node, clusterKey: cluster.publicKey))
  }

  var listening: Security { listening(allowing: [node.publicKey: "node"]) }

  func listening(allowing allowed: [CurvePublicKey: String]) -> Security {
    .curve(
      CurveSecurity(
        node: node, clusterKey: cluster.publicKey,
        listening: .init(cluster: cluster, allowed: allowed)))
  }
}

/// A node in its own context, as in a process of its own, with the incidents that it reports.
struct Guarded {
  final class Incidents: Sendable {
    private let list = Mutex<[NetworkIncident]>([])
    var all: [NetworkIncident] { list.withLock { $0 } }
    func add(_ incident: NetworkIncident) { list.withLock { $0.append(incident) } }
  }

  let node: Node
  let incidents = Incidents()
  private let context: ZeroMQContext

  init(
    _ security: Security, configure: (inout NetworkLoopSettings) -> Void = { _ in }
  ) throws {
    context = try ZeroMQContext()
    node = try Node(context: context) { [incidents] settings in
      settings.security = security
      settings.report = { incidents.add($0) }
      configure(&settings)
    }
  }

  func bind() throws -> Endpoint { try node.bind().endpoint }

  func stop() throws {
    try node.stop()
    try context.terminate()
  }
}

/// A peer without CURVE that connects to a port.
struct Stranger: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let bytes: [UInt8]

  private static func greeting(_ version: [UInt8], _ mechanism: String) -> [UInt8] {
    let name = Array(mechanism.utf8)
    return [0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f] + version + name
      + [UInt8](repeating: 0, count: 52 - name.count)
  }

  /// A READY command without properties, and a message of one frame.
  private static let message: [UInt8] =
    [4, 6, 5] + Array("READY".utf8) + [0, 5] + Array("hello".utf8)

  static let all = [
    Stranger(testDescription: "nothing", bytes: []),
    Stranger(testDescription: "HTTP", bytes: Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)),
    Stranger(
      testDescription: "TLS", bytes: [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3] + (0..<200).map { $0 }),
    Stranger(
      testDescription: "noise",
      bytes: (0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }),
    Stranger(
      testDescription: "ZeroMQ without security", bytes: greeting([3, 0], "NULL") + message),
    Stranger(
      testDescription: "ZeroMQ with a password", bytes: greeting([3, 0], "PLAIN") + message),
    Stranger(
      testDescription: "CURVE in name only", bytes: greeting([3, 0], "CURVE") + message),
    // ZeroMQ protocols without security.
    Stranger(
      testDescription: "ZeroMQ 2",
      bytes: [0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 1, 5, 0, 0] + message),
    Stranger(
      testDescription: "ZeroMQ 1", bytes: [1, 0, 6, 0] + Array("hello".utf8)),
  ]
}

/// TCP without any protocol.
enum RawSocket {
  /// Connects, sends, closes its sending side, and returns all that comes back until the other
  /// side closes the connection, for at most a second.
  static func exchange(_ bytes: [UInt8], port: UInt16) throws -> [UInt8] {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let connected = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    try #require(connected == 0)
    _ = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    var limit = timeval(tv_sec: 1, tv_usec: 0)
    setsockopt(
      descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    var answer: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = recv(descriptor, &buffer, buffer.count, 0)
      guard count > 0 else { return answer }
      answer += buffer[..<count]
    }
  }
}
