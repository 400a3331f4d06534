import Foundation
import Protocol
import Testing
import Transport

extension TransportTests {
  @Suite("Endpoints")
  struct EndpointTests {
    @Test("a free port is chosen, and advertised with the public host name")
    func ephemeralPort() throws {
      let context = try ZeroMQContext()
      let node = try Node(context: context) { $0.security = .plain(trustsNetwork: true) }
      let listener = try node.onLoop {
        try $0.bindRouter("tcp://0.0.0.0:*", advertisedHost: "node-7.example")
      }
      guard case .tcp(let host, let port?) = listener.endpoint.kind else { throw TimedOut() }
      #expect(host == "0.0.0.0")
      #expect(port > 0)
      #expect(listener.advertised.description == "tcp://node-7.example:\(port)")
      #expect(try node.bind().endpoint != listener.endpoint)
      try node.stop()
      try context.terminate()
    }

    private func bindError(_ endpoint: String) throws -> TransportError? {
      let context = try ZeroMQContext()
      let node = try Node(context: context) { $0.security = .plain(trustsNetwork: true) }
      let error = #expect(throws: TransportError.self) { try node.bind(endpoint) }
      try node.stop()
      try context.terminate()
      return error
    }

    @Test("a port that is taken is named, with what to do")
    func addressInUse() throws {
      let context = try ZeroMQContext()
      let first = try Node(context: context)
      let endpoint = try first.bind().endpoint
      let error = try #require(try bindError(endpoint.description))
      #expect(error.code == .addressInUse)
      #expect(error.message.contains("bind to \(endpoint)"))
      #expect(error.message.contains("in use"))
      #expect(error.message.contains("another port"))
      try first.stop()
      try context.terminate()
    }

    @Test("a Unix socket in use cannot be bound, and is free again afterwards")
    func ipcInUse() throws {
      try withSocketDirectory { directory in
        let endpoint = "ipc://\(directory)/server"
        let context = try ZeroMQContext()
        let first = try Node(context: context, echoes: true)
        _ = try first.bind(endpoint)
        let error = try #require(try bindError(endpoint))
        #expect(error.code == .addressInUse)
        #expect(error.message.contains("\(directory)/server"))
        // The first one still receives.
        let client = try Node(context: context)
        try client.send(WireMessage("hello"), to: try client.connect(try Endpoint(endpoint)))
        #expect(client.received.next()?.message.text == "hello")
        try first.stop()
        try client.stop()
        let second = try Node(context: context)
        #expect(throws: Never.self) { try second.bind(endpoint) }
        try second.stop()
        try context.terminate()
      }
    }

    @Test("an address that this machine does not have, and a directory that is not there")
    func unavailable() throws {
      let foreign = try #require(try bindError("tcp://192.0.2.1:4000"))
      #expect(foreign.code == .addressNotAvailable)
      #expect(foreign.message.contains("192.0.2.1"))
      let missing = try #require(try bindError("ipc:///tmp/mrdib-no-such-directory/server"))
      #expect(missing.code == .invalidEndpoint)
      #expect(missing.message.contains("create it first"))
    }

    @Test(
      "a malformed one is quoted, with the problem",
      arguments: [
        ("10.0.0.7:4000", "tcp://"), ("udp://10.0.0.7:4000", "tcp://"), ("tcp://", "port"),
        ("tcp://host", "port"), ("tcp://host:", "not a port"), ("tcp://host:70000", "'70000'"),
        ("tcp://host:-1", "'-1'"), ("tcp://:4000", "not a host"), ("tcp://::1:4000", "brackets"),
        ("tcp://a b:4000", "'a b'"), ("ipc://", "path"),
        ("ipc:///" + String(repeating: "x", count: 107), "108 bytes"),
      ])
    func malformed(_ text: String, _ reason: String) {
      let error = #expect(throws: TransportError.self) { try Endpoint(text) }
      #expect(error?.code == .invalidEndpoint)
      #expect(error?.message.contains("'\(text)'") == true)
      #expect(error?.message.contains(reason) == true)
    }

    @Test(
      "control characters are refused, because libzmq would use another address than was checked",
      arguments: ["tcp://a\0b:4000", "tcp://a\u{1B}[2J:4000", "ipc:///run/a\0b", "ipc:///a\nb"])
    func controlCharacters(_ text: String) {
      let error = #expect(throws: TransportError.self) { try Endpoint(text) }
      #expect(error?.code == .invalidEndpoint)
      #expect(error?.message.utf8.allSatisfy { $0 >= 0x20 } == true)
    }

    @Test(
      "a well-formed one is kept as it is",
      arguments: [
        "tcp://10.0.0.7:4000", "tcp://[::1]:4000", "tcp://server-0.mrdib:65535", "tcp://*:*",
        "ipc:///" + String(repeating: "x", count: 106),
      ])
    func wellFormed(_ text: String) throws {
      #expect(try Endpoint(text).description == text)
    }

    @Test(
      "connecting needs a single host and port",
      arguments: ["tcp://0.0.0.0:4000", "tcp://a:*", "tcp://a:0"])
    func indefinite(_ text: String) throws {
      let context = try ZeroMQContext()
      let node = try Node(context: context)
      let error = #expect(throws: TransportError.self) { try node.connect(try Endpoint(text)) }
      #expect(error?.code == .invalidEndpoint)
      #expect(error?.message.contains("one host and port") == true)
      try node.stop()
      try context.terminate()
    }

    @Test("a host without an address is detected before connecting")
    func unknownHost() throws {
      let error = #expect(throws: TransportError.self) {
        try Endpoint("tcp://no-such-host.invalid:4000").checkHost()
      }
      #expect(error?.code == .hostUnknown)
      #expect(error?.message.contains("'no-such-host.invalid'") == true)
      #expect(throws: Never.self) { try Endpoint("tcp://127.0.0.1:4000").checkHost() }
      #expect(throws: Never.self) { try Endpoint("tcp://[::1]:4000").checkHost() }
      #expect(throws: Never.self) { try Endpoint("tcp://127.0.0.1:4000").checkRoute() }
      #expect(throws: Never.self) { try Endpoint("ipc:///run/a").checkRoute() }
      #expect(Endpoint.reachesLoopback)
    }
  }
}
