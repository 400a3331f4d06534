import Foundation
import Synchronization
import TestSupport
import Testing
import Web

@Suite("HTTP server")
struct WebServerTests {
  /// A server that answers with the path and the sorted parameters.
  private func echo(
    token: WebToken? = nil, limits: WebServer.Limits = WebServer.Limits()
  ) throws -> WebServer {
    try WebServer(address: WebAddress(port: 0), token: token, limits: limits) { request in
      guard request.path != "/missing" else { return .notFound }
      let query = request.query.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
      return .text("\(request.path) \(query)")
    }
  }

  @Test("a request gets its answer, with headers that forbid keeping and embedding it")
  func answers() throws {
    let server = try echo()
    defer { server.stop() }
    let port = server.boundAddress.port
    #expect(port != 0)
    #expect(server.url == "http://127.0.0.1:\(port)")
    #expect(server.exposureWarning == nil)
    let answer = try RawConnection.get(port, "/a%20b?x=1&y=%C3%BC")
    #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
    #expect(answer.hasSuffix("\r\n\r\n/a b [\"x=1\", \"y=ü\"]\n"))
    for header in [
      "Cache-Control: no-store", "X-Content-Type-Options: nosniff", "Referrer-Policy: no-referrer",
      "Content-Type: text/plain; charset=utf-8",
      "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'",
    ] {
      #expect(answer.contains("\r\n\(header)\r\n"), "\(header)")
    }
    #expect(try RawConnection.get(port, "/missing").hasPrefix("HTTP/1.1 404 "))
  }

  @Test("a connection carries several requests, and HEAD has no body")
  func keepAlive() throws {
    let server = try echo()
    defer { server.stop() }
    let connection = try RawConnection(port: server.boundAddress.port)
    connection.send("GET /1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    #expect(connection.receiveResponse()?.hasSuffix("/1 []\n") == true)
    connection.send("HEAD /22 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    let head = try #require(connection.receiveResponse(hasBody: false))
    #expect(head.contains("Content-Length: 7\r\n"))
    #expect(head.hasSuffix("\r\n\r\n"))
    connection.send("GET /3 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    #expect(connection.receiveResponse()?.hasSuffix("/3 []\n") == true)
  }

  @Test("a response replaces a header of the server")
  func ownHeaders() throws {
    let policy = (name: "content-security-policy", value: "default-src 'self'")
    let server = try WebServer(address: WebAddress(port: 0)) { _ in
      .text("", headers: [policy])
    }
    defer { server.stop() }
    let answer = try RawConnection.get(server.boundAddress.port, "/")
    #expect(answer.contains("content-security-policy: default-src 'self'\r\n"))
    #expect(!answer.contains("Content-Security-Policy"))
  }

  @Test(
    "other methods and bodies are refused, and the connection is closed",
    arguments: [
      ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", "405"),
      ("DELETE / HTTP/1.1\r\nHost: a\r\n\r\n", "405"),
      ("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9999999\r\n\r\nabc", "413"),
      ("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n", "413"),
    ])
  func refusedRequests(request: String, status: String) throws {
    let server = try echo()
    defer { server.stop() }
    let connection = try RawConnection(port: server.boundAddress.port)
    connection.send(request)
    let answer = try #require(connection.receiveAll())
    #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(answer)")
  }

  @Test("a web page elsewhere cannot use a name of its own for this machine")
  func rebinding() throws {
    let server = try echo()
    defer { server.stop() }
    for (host, isAdmitted) in [
      ("evil.example:9100", false), ("127.0.0.1.evil.example", false), ("localhost:1", true),
      ("10.0.0.7:80", true), ("[::1]:80", true),
    ] {
      let answer = try RawConnection.exchange(
        server.boundAddress.port, "GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n")
      #expect(answer.hasPrefix(isAdmitted ? "HTTP/1.1 200 " : "HTTP/1.1 421 "), "\(host)")
    }
  }

  @Test("without the token nothing is answered")
  func tokens() throws {
    let secret = "0123456789abcdef"
    let server = try echo(token: WebToken(secret))
    defer { server.stop() }
    let port = server.boundAddress.port
    for target in ["/", "/?token=", "/?token=0123456789abcdeg", "/?token=\(secret)0"] {
      let answer = try RawConnection.get(port, target)
      #expect(answer.hasPrefix("HTTP/1.1 401 "), "\(target)")
      #expect(answer.contains("\r\nWWW-Authenticate: Bearer\r\n"))
    }
    #expect(try RawConnection.get(port, "/x?token=\(secret)").hasPrefix("HTTP/1.1 200 "))
    for scheme in ["Bearer", "bearer"] {
      let header = "Authorization: \(scheme) \(secret)"
      #expect(try RawConnection.get(port, "/", headers: [header]).hasPrefix("HTTP/1.1 200 "))
    }
    let basic = "Authorization: Basic \(secret)"
    #expect(try RawConnection.get(port, "/", headers: [basic]).hasPrefix("HTTP/1.1 401 "))
  }

  @Test("a token file has one line, and an unusable one is refused without showing it")
  func tokenFiles() throws {
    let folder = try TemporaryFolder()
    for content in ["0123456789abcdef", "0123456789abcdef\n", "0123456789abcdef\r\n"] {
      let token = try WebToken(file: folder.write(content, to: "token"))
      let server = try echo(token: token)
      defer { server.stop() }
      let answer = try RawConnection.get(server.boundAddress.port, "/?token=0123456789abcdef")
      #expect(answer.hasPrefix("HTTP/1.1 200 "))
    }
    for content in ["", "short", "sixteen and more but blanks", String(repeating: "x", count: 300)]
    {
      let path = try folder.write(content, to: "token")
      let error = #expect(throws: WebError.self) { try WebToken(file: path) }
      #expect(error?.code == .invalidToken)
      #expect(content.isEmpty || error?.message.contains(content) == false)
    }
    let missing = #expect(throws: WebError.self) { try WebToken(file: folder.path("none")) }
    #expect(missing?.code == .tokenMissing)
  }

  @Test("all interfaces without a token give a warning, with one they do not")
  func exposure() throws {
    let address = WebAddress(host: "*", port: 0)
    let open = try WebServer(address: address) { _ in .text("") }
    defer { open.stop() }
    #expect(open.exposureWarning?.hasSuffix("is open to other machines without a token") == true)
    #expect(open.url == "http://127.0.0.1:\(open.boundAddress.port)")
    let closed = try WebServer(address: address, token: WebToken("0123456789abcdef")) { _ in
      .text("")
    }
    defer { closed.stop() }
    #expect(closed.exposureWarning == nil)
  }

  @Test("an address that is in use, or not this machine's, is refused with advice")
  func unusableAddresses() throws {
    let server = try echo()
    defer { server.stop() }
    let taken = server.boundAddress
    let inUse = #expect(throws: WebError.self) {
      try WebServer(address: taken) { _ in .notFound }
    }
    #expect(inUse?.code == .addressInUse)
    #expect(inUse?.message.contains("\(taken)") == true)
    let elsewhere = #expect(throws: WebError.self) {
      try WebServer(address: WebAddress("192.0.2.1:0")) { _ in .notFound }
    }
    #expect(elsewhere?.code == .addressNotAvailable)
  }

  @Test("after the stop the port is free, and nothing answers")
  func stopping() throws {
    let server = try echo()
    let address = server.boundAddress
    let idle = try RawConnection(port: address.port)
    _ = try RawConnection.get(address.port, "/")
    server.stop()
    server.stop()
    #expect(idle.receiveAll() == "")
    let next = try WebServer(address: address) { _ in .text("next") }
    defer { next.stop() }
    #expect(try RawConnection.get(address.port, "/").hasSuffix("next\n"))
  }
}
