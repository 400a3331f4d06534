import Foundation
import Protocol
import Testing
import Transport

extension TransportTests {
  @Suite("Peers that leave")
  struct LostPeerTests {
    @Test("are reported when a message is sent to them")
    func peerGone() throws {
      let context = try ZeroMQContext()
      let server = try Node(context: context)
      let client = try Node(context: context)
      let toServer = try client.connect(try server.bind().endpoint)
      try client.send(WireMessage("hello"), to: toServer)
      let peer = try #require(server.received.next()).peer
      try server.send(WireMessage("welcome"), to: peer)
      try client.stop()
      var error: TransportError?
      #expect(
        eventually {
          do {
            try server.send(WireMessage("still there?"), to: peer)
            return false
          } catch let caught as TransportError {
            error = caught
            return true
          } catch {
            return false
          }
        })
      #expect(error?.code == .peerGone)
      #expect(error?.message.contains("not connected") == true)
      try server.stop()
      try context.terminate()
    }

    @Test("are reported with the number of their unsent messages")
    func undelivered() throws {
      let context = try ZeroMQContext()
      let server = try Node(context: context) { $0.socket.sendHighWaterMark = 2 }
      let client = try StuckNode(context: context, to: try server.bind().endpoint)
      let peer = try #require(server.received.next()).peer
      try server.onLoop { loop in
        for _ in 0..<100 { try loop.send(WireMessage(frames: [pattern(1 << 20)]), to: peer) }
      }
      client.leave()
      let (lost, undelivered) = try #require(server.lost.next())
      #expect(lost == peer)
      #expect(undelivered > 0 && undelivered < 100)
      #expect(try server.statistics().messagesUndelivered == undelivered)
      #expect(try server.onLoop { $0.outstandingBytes(to: peer) } == 0)
      try server.stop()
      try client.finish()
      try context.terminate()
    }

    @Test("and return at the same address are reached again by themselves")
    func reconnect() throws {
      let context = try ZeroMQContext()
      let client = try Node(context: context) {
        $0.socket.reconnectInterval = .milliseconds(10)
        $0.socket.reconnectIntervalMaximum = .milliseconds(50)
      }
      let first = try Node(context: context)
      // Not a tcp port: another process may bind it between the two incarnations.
      let path = NSTemporaryDirectory() + "mrdib-\(UUID().uuidString.prefix(8)).sock"
      let endpoint = try first.bind("ipc://\(path)").endpoint
      let peer = try client.connect(endpoint)
      try client.send(WireMessage("one"), to: peer)
      let firstName = try #require(first.received.next()).peer
      try first.stop()
      let second = try Node(context: context)
      _ = try second.bind(endpoint.description)
      // Messages between two incarnations may be lost; the application repeats them.
      var arrived: (message: WireMessage, peer: PeerID)?
      for _ in 0..<100 where arrived == nil {
        try client.send(WireMessage("two"), to: peer)
        arrived = second.received.next(within: 0.1)
      }
      let answerTo = try #require(arrived).peer
      #expect(answerTo == firstName, "a reconnected peer keeps its name")
      try second.send(WireMessage("three"), to: answerTo)
      #expect(client.received.next()?.message.text == "three")
      try client.stop()
      try second.stop()
      try context.terminate()
    }

    @Test("have another routing id after a restart")
    func incarnations() throws {
      let context = try ZeroMQContext()
      let server = try Node(context: context)
      let endpoint = try server.bind().endpoint
      var names: Set<PeerID> = []
      for _ in 0..<3 {
        let client = try Node(context: context)
        try client.send(WireMessage("hello"), to: try client.connect(endpoint))
        names.insert(try #require(server.received.next()).peer)
        try client.stop()
      }
      #expect(names.count == 3)
      try server.stop()
      try context.terminate()
    }

    @Test("do not keep a process from ending, even if messages wait for them")
    func boundedTermination() throws {
      let context = try ZeroMQContext()
      let node = try Node(context: context) { $0.drainTime = .milliseconds(300) }
      // No process listens at the first address; the second one never answers.
      for address in ["tcp://127.0.0.1:1", "tcp://192.0.2.1:4000"] {
        let peer = try node.connect(try Endpoint(address))
        for _ in 0..<20 {
          try node.send(WireMessage(frames: [pattern(100), pattern(1 << 20)]), to: peer)
        }
      }
      let ended = Channel<Result<Void, any Error>>()
      Thread.detachNewThread {
        ended.put(
          Result {
            try node.stop()
            try context.terminate()
          })
      }
      try #require(ended.next(), "it waits for them").get()
    }
  }
}
