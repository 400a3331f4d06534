import Foundation
import Protocol
import Testing
import Transport

extension TransportTests {
  @Suite("A loop")
  struct NetworkLoopTests {
    @Test("is woken by events of four threads, and keeps the order of each")
    func posting() throws {
      let context = try ZeroMQContext()
      // Without the wake-up it would poll again only after a minute.
      let node = try Node(context: context) { $0.tickInterval = .seconds(60) }
      let seen = Channel<(thread: Int, number: Int)>()
      let perThread = 5000
      for thread in 0..<4 {
        Thread.detachNewThread {
          for number in 0..<perThread {
            try? node.thread.post(Script { _ in seen.put((thread, number)) })
            if number % 1000 == 999 { Thread.sleep(forTimeInterval: 0.01) }
          }
        }
      }
      var next = [0, 0, 0, 0]
      for _ in 0..<4 * perThread {
        let (thread, number) = try #require(seen.next())
        if number != next[thread] {
          Issue.record("thread \(thread): event \(number) in the place of \(next[thread])")
          break
        }
        next[thread] += 1
      }
      try node.stop()
      try context.terminate()
    }

    @Test("ticks at its interval, and sleeps in between")
    func ticking() throws {
      let context = try ZeroMQContext()
      let node = try Node(context: context) { $0.tickInterval = .milliseconds(20) }
      _ = try node.bind()
      var times: [Duration] = []
      let before = try node.onLoop { _ in threadCPUSeconds() }
      for _ in 0..<20 { times.append(try #require(node.ticks.next())) }
      let busy = try node.onLoop { _ in threadCPUSeconds() } - before
      #expect(zip(times, times.dropFirst()).allSatisfy { $1 - $0 >= .milliseconds(20) })
      #expect(busy < 0.1)
      try node.stop()
      try context.terminate()
    }

    @Test("ticks between two messages, and between two events, when each takes long")
    func busyTicking() throws {
      let context = try ZeroMQContext()
      let log = Channel<BusyHandler.Entry>()
      var settings = NetworkLoopSettings()
      settings.tickInterval = .milliseconds(10)
      let addresses = Channel<String>()
      let busy = try NetworkThread<Int>(name: "busy", context: context, settings: settings) {
        BusyHandler(log: log, addresses: addresses)
      }
      let client = try Node(context: context)
      let peer = try client.connect(Endpoint(try #require(addresses.next())))
      let count = 12
      for _ in 0..<count { try client.send(WireMessage("work"), to: peer) }
      for index in 0..<count { try busy.post(index) }
      var entries: [BusyHandler.Entry] = []
      while entries.filter({ $0 == .message || $0 == .event }).count < 2 * count {
        entries.append(try #require(log.next()))
      }
      for kind in [BusyHandler.Entry.message, .event] {
        let first = try #require(entries.firstIndex(of: kind))
        let last = try #require(entries.lastIndex(of: kind))
        #expect(
          entries[first..<last].contains { if case .tick = $0 { true } else { false } },
          "\(entries)")
      }
      #expect(entries.contains(.tick(isBehind: true)))
      busy.stop()
      try busy.join()
      try client.stop()
      try context.terminate()
    }

    @Test("that is stuck accepts a bounded number of events, and one that has ended accepts none")
    func mailboxBounds() throws {
      let context = try ZeroMQContext()
      let node = try Node(context: context) { $0.mailboxCapacity = 10 }
      let (gate, entered) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
      try node.thread.post(
        Script { _ in
          entered.signal()
          gate.wait()
        })
      entered.wait()
      let done = Channel<Int>()
      for index in 0..<10 { try node.thread.post(Script { _ in done.put(index) }) }
      let error = #expect(throws: TransportError.self) { try node.thread.post(Script { _ in }) }
      #expect(error?.code == .overloaded)
      #expect(error?.message.contains("10 already wait") == true)
      gate.signal()
      for index in 0..<10 { #expect(done.next() == index) }
      try node.stop()
      let closed = #expect(throws: TransportError.self) { try node.thread.post(Script { _ in }) }
      #expect(closed?.code == .closed)
      try context.terminate()
    }

    @Test("sends queued messages before it ends")
    func draining() throws {
      let context = try ZeroMQContext()
      let server = try Node(context: context)
      let client = try Node(context: context) { $0.socket.sendHighWaterMark = 2 }
      let peer = try client.connect(try server.bind().endpoint)
      try client.onLoop { loop in
        for index in 0..<50 {
          try loop.send(
            WireMessage(frames: [.copying(Array("\(index)".utf8)), pattern(1 << 18)]), to: peer)
        }
        loop.stop()
      }
      try client.thread.join()
      for index in 0..<50 { #expect(server.received.next()?.message.text == "\(index)") }
      try server.stop()
      try context.terminate()
    }

    @Test("refuses to send on a connection that was closed")
    func closedConnection() throws {
      let context = try ZeroMQContext()
      let node = try Node(context: context)
      let peer = try node.connect(try Endpoint("tcp://127.0.0.1:1"))
      try node.onLoop { $0.close(peer.connection) }
      let error = #expect(throws: TransportError.self) {
        try node.send(WireMessage("hello"), to: peer)
      }
      #expect(error?.code == .closed)
      try node.stop()
      try context.terminate()
    }

    private final class FailingHandler: NetworkHandler {
      struct Failure: Error {}
      func started(on loop: NetworkLoop<Int>) throws { throw Failure() }
      func received(_ message: WireMessage, from peer: PeerID, on loop: NetworkLoop<Int>) {}
      func lost(_ peer: PeerID, undelivered: Int, on loop: NetworkLoop<Int>) {}
      func ticked(at now: Duration, on loop: NetworkLoop<Int>) {}
      func posted(_ event: Int, on loop: NetworkLoop<Int>) {}
    }

    @Test("ends with the handler's error when the handler cannot start")
    func failingStart() throws {
      let context = try ZeroMQContext()
      let thread = try NetworkThread(name: "failing", context: context) { FailingHandler() }
      #expect(throws: FailingHandler.Failure.self) { try thread.join() }
      try context.terminate()
    }

    @Test("keeps its context from being terminated, which fails instead of hanging")
    func contextInUse() throws {
      let context = try ZeroMQContext()
      let node = try Node(context: context)
      _ = try node.bind()
      let error = #expect(throws: TransportError.self) { try context.terminate() }
      #expect(error?.message.contains("of its sockets are open") == true)
      try node.stop()
      #expect(throws: Never.self) { try context.terminate() }
    }

    @Test("has a clock that moves forward")
    func clock() {
      let first = MonotonicClock.now
      Thread.sleep(forTimeInterval: 0.01)
      #expect(MonotonicClock.now - first >= .milliseconds(10))
    }
  }
}

/// Needs longer for every call than a tick's interval.
private final class BusyHandler: NetworkHandler {
  enum Entry: Sendable, Equatable {
    case message
    case event
    case tick(isBehind: Bool)
  }

  private let log: Channel<Entry>
  private let addresses: Channel<String>

  init(log: Channel<Entry>, addresses: Channel<String>) {
    self.log = log
    self.addresses = addresses
  }

  func started(on loop: NetworkLoop<Int>) throws {
    addresses.put(try loop.bindRouter("tcp://127.0.0.1:*").endpoint.description)
  }

  func received(_ message: WireMessage, from peer: PeerID, on loop: NetworkLoop<Int>) {
    log.put(.message)
    Thread.sleep(forTimeInterval: 0.02)
  }

  func lost(_ peer: PeerID, undelivered: Int, on loop: NetworkLoop<Int>) {}

  func ticked(at now: Duration, on loop: NetworkLoop<Int>) {
    log.put(.tick(isBehind: loop.isBehind))
  }

  func posted(_ event: Int, on loop: NetworkLoop<Int>) {
    log.put(.event)
    Thread.sleep(forTimeInterval: 0.02)
  }
}
