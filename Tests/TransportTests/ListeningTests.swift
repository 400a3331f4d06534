import Protocol
import Testing
import Transport

extension TransportTests {
  @Suite("Listening without keys")
  struct ListeningTests {
    private func bind(_ endpoint: String, _ security: Security) throws {
      let context = try ZeroMQContext()
      let node = try Node(context: context) { $0.security = security }
      defer {
        try? node.stop()
        try? context.terminate()
      }
      _ = try node.bind(endpoint)
    }

    @Test(
      "reachable by other machines: refused, with advice",
      arguments: [
        "tcp://0.0.0.0:*", "tcp://*:*", "tcp://[::]:*", "tcp://10.1.2.3:4000", "tcp://eth0:*",
      ])
    func refused(_ endpoint: String) throws {
      let error = #expect(throws: TransportError.self) { try bind(endpoint, .plain()) }
      #expect(error?.code == .insecure)
      let message = try #require(error?.message)
      #expect(message.contains("--keys FOLDER") && message.contains("--insecure-network"))
    }

    @Test(
      "reachable by this machine only: allowed",
      arguments: ["tcp://127.0.0.1:*", "tcp://127.8.8.8:*"])
    func loopback(_ endpoint: String) throws {
      #expect(throws: Never.self) { try bind(endpoint, .plain()) }
    }

    @Test("a name of this machine is resolved before listening")
    func localhost() throws {
      #expect(throws: Never.self) { try bind("tcp://localhost:*", .plain()) }
      let endpoint = try Endpoint("tcp://localhost:4000").resolvingLoopbackName()
      #expect(endpoint.isOnThisMachine && endpoint.description.hasSuffix(":4000"))
      for other in ["tcp://10.1.2.3:4000", "tcp://*:4000", "tcp://127.0.0.1:1", "ipc:///tmp/a"] {
        #expect(try Endpoint(other).resolvingLoopbackName() == Endpoint(other))
      }
    }

    @Test("a trusted network, or keys: allowed")
    func allowed() throws {
      #expect(throws: Never.self) { try bind("tcp://0.0.0.0:*", .plain(trustsNetwork: true)) }
      let keys = try TestKeys()
      #expect(throws: Never.self) { try bind("tcp://0.0.0.0:*", keys.listening) }
    }

    @Test("keys for connecting are not enough to listen, not even on loopback")
    func connectingKeys() throws {
      let keys = try TestKeys()
      let error = #expect(throws: TransportError.self) {
        try bind("tcp://127.0.0.1:*", keys.connecting)
      }
      #expect(error?.code == .insecure)
      #expect(error?.message.contains("for connecting only") == true)
    }

    @Test(
      "addresses that only this machine reaches",
      arguments: [
        ("tcp://127.0.0.1:1", true), ("tcp://127.255.0.9:*", true), ("tcp://[::1]:1", true),
        ("ipc:///tmp/a", true), ("tcp://0.0.0.0:1", false), ("tcp://*:1", false),
        ("tcp://[::]:1", false), ("tcp://128.0.0.1:1", false), ("tcp://127.0.0.1.example:1", false),
        ("tcp://localhost:1", false), ("tcp://127.1:1", false),
      ])
    func isOnThisMachine(_ endpoint: String, _ expected: Bool) throws {
      #expect(try Endpoint(endpoint).isOnThisMachine == expected)
    }
  }
}
