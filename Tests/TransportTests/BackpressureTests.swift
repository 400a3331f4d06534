import Foundation
import Protocol
import Testing
import Transport

extension TransportTests {
  @Suite("A peer that does not read")
  struct BackpressureTests {
    private static let limit = 32 << 20
    private static let size = 1 << 20

    /// Sends until the loop refuses, and returns how many messages it accepted.
    private func fill(_ node: Node, for peer: PeerID) throws -> (accepted: Int, TransportError) {
      try node.onLoop { loop in
        for index in 0..<10_000 {
          do {
            let name = Payload.copying(Array("\(index)".utf8))
            try loop.send(WireMessage(frames: [name, pattern(Self.size)]), to: peer)
          } catch let error as TransportError {
            return (index, error)
          }
        }
        throw TimedOut()
      }
    }

    private func expectAll(_ accepted: Int, at node: Node) throws {
      for index in 0..<accepted {
        let message = try #require(node.received.next()).message
        if message.text != "\(index)" || message.frames[1].byteCount != Self.size {
          Issue.record("message \(message.text) arrived in the place of \(index)")
          return
        }
      }
      #expect(node.received.next(within: 0.1) == nil)
    }

    @Test("of a server is sent a bounded number of bytes, and receives all of them in order later")
    func router() throws {
      let context = try ZeroMQContext()
      let server = try Node(context: context) {
        $0.socket.outstandingBytesPerPeer = Self.limit
        $0.socket.sendHighWaterMark = 4
      }
      let endpoint = try server.bind().endpoint
      let client = try StuckNode(context: context, to: endpoint)
      let other = try Node(context: context)
      try other.send(WireMessage("free"), to: try other.connect(endpoint))
      var peers: [String: PeerID] = [:]
      for _ in 0..<2 {
        let greeting = try #require(server.received.next())
        peers[greeting.message.text] = greeting.peer
      }
      let (stuck, free) = (try #require(peers["stuck"]), try #require(peers["free"]))

      let (accepted, error) = try fill(server, for: stuck)
      #expect(error.code == .overloaded)
      #expect(error.message.contains("\(Self.limit)"))
      #expect(accepted >= Self.limit / Self.size - 1)
      let outstanding = try server.onLoop { $0.outstandingBytes(to: stuck) }
      #expect(outstanding <= Self.limit)
      // The operating system may have taken some more in between.
      #expect(outstanding > Self.limit / 2)
      #expect(try server.statistics().messagesOverloaded == 1)

      // Others are served as before.
      try server.send(WireMessage("you?"), to: free)
      #expect(other.received.next()?.message.text == "you?")

      client.proceed()
      try expectAll(accepted, at: client.node)
      #expect(try eventually { try server.onLoop { $0.outstandingBytes(to: stuck) } == 0 })
      try client.finish()
      try other.stop()
      try server.stop()
      try context.terminate()
    }

    /// Peers that have sent a hello but do not read the messages that a server sends them.
    private func stuckPeers(
      _ count: Int, of server: Node, _ context: ZeroMQContext
    ) throws -> (endpoint: Endpoint, clients: [StuckNode], peers: [PeerID]) {
      let endpoint = try server.bind().endpoint
      let clients = try (0..<count).map { _ in try StuckNode(context: context, to: endpoint) }
      return (endpoint, clients, try clients.map { _ in try #require(server.received.next()).peer })
    }

    @Test("leaves room for others: the total for all peers is bounded, too")
    func together() throws {
      let context = try ZeroMQContext()
      let server = try Node(context: context) {
        $0.socket.outstandingBytes = 2 * Self.limit
        $0.socket.crowdedBytes = Self.limit / 2
      }
      let (endpoint, clients, peers) = try stuckPeers(6, of: server, context)
      let free = try Node(context: context)
      try free.send(WireMessage("free"), to: try free.connect(endpoint))
      let freePeer = try #require(server.received.next()).peer

      // Small messages, which libzmq copies, are bounded too.
      for size in [3000, 60_000, Self.size] {
        for peer in peers {
          try server.onLoop { loop in
            for _ in 0..<2000 {
              do {
                try loop.send(WireMessage(frames: [pattern(size)]), to: peer)
              } catch let error as TransportError where error.code == .overloaded {
                return
              }
            }
          }
        }
      }
      let waiting = try server.onLoop { loop in
        peers.reduce(0) { $0 + loop.outstandingBytes(to: $1) }
      }
      #expect(waiting <= Self.limit)
      #expect(try server.statistics().messagesOverloaded > 0)
      // Peers that read are still served, and their pushes acknowledged.
      for _ in 0..<3 {
        try server.send(WireMessage(frames: [pattern(Self.size)]), to: freePeer)
        #expect(free.received.next()?.message.byteCount == Self.size)
      }
      for client in clients {
        client.leave()
        try client.finish()
      }
      try free.stop()
      try server.stop()
      try context.terminate()
    }

    @Test("for too long is disconnected, and the memory of its messages is freed")
    func dropped() throws {
      let context = try ZeroMQContext()
      let server = try Node(context: context) {
        $0.socket.outstandingBytesPerPeer = Self.limit
        $0.socket.acknowledgementTimeout = .seconds(1)
      }
      let (_, clients, peers) = try stuckPeers(1, of: server, context)
      _ = try fill(server, for: peers[0])
      #expect(try eventually { try server.onLoop { $0.outstandingBytes(to: peers[0]) } == 0 })
      // Sending to it fails from now on.
      let error = try server.onLoop { loop -> TransportError? in
        do {
          try loop.send(WireMessage("gone?"), to: peers[0])
          return nil
        } catch { return error as? TransportError }
      }
      #expect(error?.code == .peerGone)
      clients[0].leave()
      try clients[0].finish()
      try server.stop()
      try context.terminate()
    }

    @Test("as a server is sent a bounded number of bytes, and receives all of them in order later")
    func dealer() throws {
      let context = try ZeroMQContext()
      let server = try Node(context: context) { $0.socket.receiveHighWaterMark = 1 }
      let client = try Node(context: context) {
        $0.socket.outstandingBytesPerPeer = Self.limit
        $0.socket.sendHighWaterMark = 4
      }
      let peer = try client.connect(try server.bind().endpoint)
      let gate = DispatchSemaphore(value: 0)
      try server.thread.post(Script { _ in gate.wait() })
      let (accepted, error) = try fill(client, for: peer)
      #expect(error.code == .overloaded)
      #expect(try client.onLoop { $0.outstandingBytes(to: peer) } <= Self.limit)
      gate.signal()
      try expectAll(accepted, at: server)
      try client.stop()
      try server.stop()
      try context.terminate()
    }

    @Test("costs the loop next to no processor time while messages wait for it")
    func waitingIsCheap() throws {
      let context = try ZeroMQContext()
      let server = try Node(context: context) {
        $0.socket.outstandingBytesPerPeer = Self.limit
        $0.socket.sendHighWaterMark = 4
      }
      let client = try StuckNode(context: context, to: try server.bind().endpoint)
      let peer = try #require(server.received.next()).peer
      _ = try fill(server, for: peer)
      let before = try server.onLoop { _ in threadCPUSeconds() }
      Thread.sleep(forTimeInterval: 0.5)
      #expect(try server.onLoop { _ in threadCPUSeconds() } - before < 0.1)
      client.leave()
      try client.finish()
      try server.stop()
      try context.terminate()
    }
  }
}
