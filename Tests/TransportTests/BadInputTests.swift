import Foundation
import Protocol
import Testing
import Transport

extension TransportTests {
  @Suite("Messages that are refused")
  struct BadInputTests {
    @Test("a frame above the limit is refused before it is sent, with both sizes")
    func oversizeSend() throws {
      let context = try ZeroMQContext()
      let client = try Node(context: context) { $0.socket.maximumFrameBytes = 1000 }
      let peer = try client.connect(try Endpoint("tcp://127.0.0.1:1"))
      let error = #expect(throws: TransportError.self) {
        try client.send(WireMessage(frames: [pattern(10), pattern(1001)]), to: peer)
      }
      #expect(error?.code == .messageTooLarge)
      #expect(error?.message.contains("1001 bytes") == true)
      #expect(error?.message.contains("at most 1000") == true)
      try client.stop()
      try context.terminate()
    }

    @Test("a frame above the limit never arrives, and others are served as before")
    func oversizeReceive() throws {
      let context = try ZeroMQContext()
      let server = try Node(context: context, echoes: true) {
        $0.socket.maximumFrameBytes = 1 << 20
      }
      let endpoint = try server.bind().endpoint
      let client = try Node(context: context)
      let offender = try Node(context: context)
      let toServer = try client.connect(endpoint)
      try offender.send(
        WireMessage(frames: [pattern(1), pattern(2 << 20)]), to: try offender.connect(endpoint))
      #expect(offender.received.next(within: 0.5) == nil)
      try client.send(WireMessage(frames: [pattern(1 << 20)]), to: toServer)
      #expect(client.received.next()?.message.byteCount == 1 << 20)
      #expect(try server.statistics().messagesReceived == 1)
      for node in [client, offender, server] { try node.stop() }
      try context.terminate()
    }

    @Test("a message of too many frames is dropped to its end and counted; the next one arrives")
    func tooManyFrames() throws {
      let context = try ZeroMQContext()
      let server = try Node(context: context)
      let client = try Node(context: context)
      let peer = try client.connect(try server.bind().endpoint)
      try client.send(WireMessage(frames: (0..<9).map { _ in pattern(5000) }), to: peer)
      try client.send(WireMessage(frames: (0..<8).map { _ in pattern(10) }), to: peer)
      #expect(server.received.next()?.message.frames.count == 8)
      let statistics = try server.statistics()
      #expect(statistics.messagesDropped == 1)
      #expect(statistics.bytesDropped == 45_000)
      #expect(statistics.messagesReceived == 1)
      try client.stop()
      try server.stop()
      try context.terminate()
    }

    @Test("garbage on the port does no harm")
    func garbage() throws {
      let context = try ZeroMQContext()
      let server = try Node(context: context, echoes: true)
      let endpoint = try server.bind().endpoint
      guard case .tcp(_, let port?) = endpoint.kind else { throw TimedOut() }
      var generator = SystemRandomNumberGenerator()
      for _ in 0..<50 {
        let bytes = (0..<300).map { _ in UInt8.random(in: 0...255, using: &generator) }
        try sendRaw(bytes, port: port)
        // A greeting of the right version, then garbage.
        try sendRaw([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0] + bytes, port: port)
      }
      let client = try Node(context: context)
      try client.send(WireMessage("alive?"), to: try client.connect(endpoint))
      #expect(client.received.next()?.message.text == "alive?")
      try client.stop()
      try server.stop()
      try context.terminate()
    }

    private func sendRaw(_ bytes: [UInt8], port: UInt16) throws {
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
      _ = bytes.withUnsafeBytes {
        Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
    }
  }
}
