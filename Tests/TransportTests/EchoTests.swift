import Foundation
import Protocol
import Testing
import Transport

extension TransportTests {
  @Suite("Messages arrive as they were sent")
  struct EchoTests {
    private static let sizes = [
      0, 1, 33, 34, 4095, 4096, 8192, 65_535, 65_536, 1 << 20, 8 << 20,
    ]

    private func echo(_ endpoint: String) throws {
      let context = try ZeroMQContext()
      let server = try Node(context: context, echoes: true)
      let client = try Node(context: context)
      let peer = try client.connect(try server.bind(endpoint).endpoint)
      for size in Self.sizes {
        let message = WireMessage(frames: [pattern(size), pattern(0), pattern(size / 2)])
        try client.send(message, to: peer)
        let answer = try #require(client.received.next())
        #expect(answer.peer == peer)
        #expect(answer.message.contents == message.contents, "size \(size)")
      }
      let statistics = try client.statistics()
      #expect(statistics.messagesSent == Self.sizes.count)
      #expect(statistics.messagesReceived == Self.sizes.count)
      #expect(statistics.bytesSent == statistics.bytesReceived)
      #expect(statistics.bytesSent == Self.sizes.reduce(0) { $0 + $1 + $1 / 2 })
      try client.stop()
      try server.stop()
      try context.terminate()
    }

    @Test("over tcp")
    func tcp() throws { try echo("tcp://127.0.0.1:*") }

    @Test("over ipc")
    func ipc() throws {
      try withSocketDirectory { try echo("ipc://\($0)/server") }
    }

    @Test("from two processes to one, which distinguishes them")
    func twoClients() throws {
      let context = try ZeroMQContext()
      let server = try Node(context: context)
      let clients = [try Node(context: context), try Node(context: context)]
      let endpoint = try server.bind().endpoint
      let peers = try clients.map { try $0.connect(endpoint) }
      for index in 0..<2 { try clients[index].send(WireMessage("\(index)"), to: peers[index]) }
      var senders: [String: PeerID] = [:]
      for _ in 0..<2 {
        let (message, peer) = try #require(server.received.next())
        senders[message.text] = peer
      }
      #expect(senders["0"] != senders["1"])
      for index in 0..<2 {
        let peer = try #require(senders["\(index)"])
        try server.send(WireMessage("for \(index)"), to: peer)
        #expect(clients[index].received.next()?.message.text == "for \(index)")
      }
      for node in clients + [server] { try node.stop() }
      try context.terminate()
    }

    @Test("in the order of sending, however many")
    func order() throws {
      let context = try ZeroMQContext()
      let server = try Node(context: context)
      let client = try Node(context: context)
      let peer = try client.connect(try server.bind().endpoint)
      let count = 20_000
      try client.onLoop { loop in
        for index in 0..<count { try loop.send(WireMessage("\(index)"), to: peer) }
      }
      for index in 0..<count {
        let text = try #require(server.received.next()).message.text
        if text != "\(index)" {
          Issue.record("message \(text) arrived in the place of \(index)")
          break
        }
      }
      try client.stop()
      try server.stop()
      try context.terminate()
    }
  }
}
