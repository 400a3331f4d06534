import Foundation
import Protocol
import Synchronization
import Testing
import Transport

extension TransportTests {
  @Suite("Payloads that are sent without a copy")
  struct ZeroCopyTests {
    private final class Releases: Sendable {
      private let count = Atomic<Int>(0)
      var value: Int { count.load(ordering: .sequentiallyConsistent) }
      func add() { count.add(1, ordering: .sequentiallyConsistent) }
    }

    private func payload(_ byteCount: Int, _ releases: Releases) -> Payload {
      nonisolated(unsafe) let memory = UnsafeMutableRawBufferPointer.allocate(
        byteCount: byteCount, alignment: 64)
      memory.initializeMemory(as: UInt8.self, repeating: 0xa5)
      return Payload(bytes: UnsafeRawBufferPointer(memory)) {
        memory.deallocate()
        releases.add()
      }
    }

    @Test("are released exactly once, after they were sent")
    func released() throws {
      let context = try ZeroMQContext()
      let server = try Node(context: context)
      let client = try Node(context: context)
      let peer = try client.connect(try server.bind().endpoint)
      let releases = Releases()
      for _ in 0..<20 {
        try client.send(WireMessage(frames: [payload(1 << 20, releases)]), to: peer)
      }
      for _ in 0..<20 {
        let message = try #require(server.received.next()).message
        #expect(message.frames[0].byteCount == 1 << 20)
        #expect(message.contents[0].allSatisfy { $0 == 0xa5 })
      }
      #expect(eventually { releases.value == 20 })
      #expect(try client.onLoop { $0.outstandingBytes(to: peer) } == 0)
      try client.stop()
      try server.stop()
      try context.terminate()
      #expect(releases.value == 20)
    }

    @Test("stay alive while a peer is away, count as outstanding, and are released at the end")
    func unreachablePeer() throws {
      let context = try ZeroMQContext()
      let client = try Node(context: context) { $0.drainTime = .milliseconds(50) }
      let peer = try client.connect(try Endpoint("tcp://127.0.0.1:1"))
      let releases = Releases()
      for _ in 0..<3 {
        try client.send(WireMessage(frames: [payload(1 << 20, releases)]), to: peer)
      }
      #expect(try client.onLoop { $0.outstandingBytes(to: peer) } == 3 << 20)
      #expect(releases.value == 0)
      try client.stop()
      try context.terminate()
      #expect(releases.value == 3)
    }

    @Test("outlive the socket that received them")
    func receivedPayloadOutlivesSocket() throws {
      let context = try ZeroMQContext()
      let server = try Node(context: context)
      let client = try Node(context: context)
      let peer = try client.connect(try server.bind().endpoint)
      let sent = WireMessage(frames: [pattern(4096), pattern(100_000)])
      try client.send(sent, to: peer)
      let received = try #require(server.received.next()).message
      try client.stop()
      try server.stop()
      try context.terminate()
      #expect(received.contents == sent.contents)
    }
  }
}
