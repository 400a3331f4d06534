import Foundation
import Synchronization
import TestSupport
import Testing
import Web

/// Peers that do not behave: the server still answers others, and no connection stays for ever.
@Suite("HTTP server and bad peers")
struct WebServerLimitTests {
  private func server(
    _ limits: WebServer.Limits, body: Int = 2
  ) throws -> WebServer {
    let body = [UInt8](repeating: 0x61, count: body)
    return try WebServer(address: WebAddress(port: 0), limits: limits) { request in
      WebResponse(contentType: "text/plain", body: request.path == "/large" ? body : [0x6F, 0x6B])
    }
  }

  private func limits(_ connections: UInt32) -> WebServer.Limits {
    var limits = WebServer.Limits()
    limits.connections = connections
    limits.idleSeconds = 1
    return limits
  }

  @Test("a reader that stalls is dropped, and does not delay others")
  func stalledReader() throws {
    let server = try server(limits(4), body: 16 << 20)
    defer { server.stop() }
    let port = server.boundAddress.port
    let stalled = try RawConnection(port: port)
    stalled.shrinkReceiveBuffer()
    stalled.send("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
    #expect(try RawConnection.get(port, "/").hasSuffix("ok"))
    Thread.sleep(forTimeInterval: 2.5)
    // Only what the system had buffered arrives: the rest was not waited for.
    let received = try #require(stalled.receiveAll())
    #expect(received.utf8.count < 16 << 20)
    #expect(try RawConnection.get(port, "/").hasSuffix("ok"))
  }

  @Test("a connection without a request is closed")
  func silentPeer() throws {
    let server = try server(limits(4))
    defer { server.stop() }
    let silent = try RawConnection(port: server.boundAddress.port)
    let half = try RawConnection(port: server.boundAddress.port)
    half.send("GET / HTTP/1.1\r\nHost:")
    #expect(silent.receiveAll() == "")
    #expect(half.receiveAll() != nil)
  }

  @Test("beyond the limit a connection waits until an idle one is closed")
  func tooManyConnections() throws {
    let server = try server(limits(3))
    defer { server.stop() }
    let port = server.boundAddress.port
    let idle = try (0..<8).map { _ in try RawConnection(port: port) }
    #expect(try RawConnection.get(port, "/").hasSuffix("ok"))
    withExtendedLifetime(idle) {}
  }

  @Test("headers that are too long are refused")
  func longHeaders() throws {
    let server = try server(limits(4))
    defer { server.stop() }
    let connection = try RawConnection(port: server.boundAddress.port)
    connection.send("GET / HTTP/1.1\r\nHost: localhost\r\nX: ")
    connection.send(String(repeating: "x", count: 64 << 10))
    connection.send("\r\n\r\n")
    let answer = try #require(connection.receiveAll())
    #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 4"), "\(answer.prefix(80))")
    #expect(try RawConnection.get(server.boundAddress.port, "/").hasSuffix("ok"))
  }

  @Test("garbage neither ends the server nor gets an answer of the handler")
  func garbage() throws {
    let handled = Mutex(0)
    let server = try WebServer(address: WebAddress(port: 0), limits: limits(8)) { _ in
      handled.withLock { $0 += 1 }
      return .text("ok")
    }
    defer { server.stop() }
    let port = server.boundAddress.port
    var generator = SeededGenerator(seed: 5)
    for round in 0..<40 {
      let connection = try RawConnection(port: port)
      if round % 2 == 0 {
        connection.send((0..<512).map { _ in UInt8.random(in: 0...255, using: &generator) })
      } else {
        connection.send(
          ["\r\n\r\n\r\n", "GET\r\n\r\n", "\u{0}\u{0}", "GET / HTTP/9.9\r\n\r\n"][
            round / 2 % 4])
      }
    }
    #expect(handled.withLock { $0 } == 0)
    #expect(try RawConnection.get(port, "/").hasSuffix("ok\n"))
    #expect(handled.withLock { $0 } == 1)
  }

  @Test("damaged requests are answered or refused, and the server lives")
  func damagedRequests() throws {
    let server = try server(limits(8))
    defer { server.stop() }
    let port = server.boundAddress.port
    let whole = Array("GET /metrics?a=b%20c HTTP/1.1\r\nHost: localhost:1\r\nX: y\r\n\r\n".utf8)
    var generator = SeededGenerator(seed: 7)
    for _ in 0..<300 {
      var bytes = whole
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let place = Int.random(in: 0..<bytes.count, using: &generator)
        bytes[place] = UInt8.random(in: 0...255, using: &generator)
      }
      try RawConnection(port: port).send(bytes)
    }
    #expect(try RawConnection.get(port, "/").hasSuffix("ok"))
  }
}
