import Foundation
import Testing

/// A connection to a port of this machine that sends any bytes, also such as are not HTTP.
final class RawConnection: Sendable {
  private let descriptor: Int32

  init(port: UInt16) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    try #require(descriptor >= 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let connected = withUnsafePointer(to: &address) { [descriptor] pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    try #require(connected == 0)
  }

  deinit { close(descriptor) }

  /// Makes the system keep few bytes for this side, so that a reader that stops stalls the server.
  func shrinkReceiveBuffer() {
    // A window below a segment of the loopback interface would be filled once a second only.
    var size: Int32 = 256 << 10
    setsockopt(
      descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
  }

  /// The other side may hang up before it has everything.
  func send(_ bytes: some Sequence<UInt8>) {
    let bytes = Array(bytes)
    _ = Foundation.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
  }

  func send(_ text: String) { send(text.utf8) }

  /// Everything until the server closes the connection; nil if it does not within a minute.
  func receiveAll(within seconds: Double = 60) -> String? {
    receive(within: seconds)
  }

  /// Everything until the bytes of a response without a body, or with `Content-Length` bytes.
  func receiveResponse(hasBody: Bool = true) -> String? {
    receive(within: 60) { text in
      guard let end = text.range(of: "\r\n\r\n") else { return false }
      guard hasBody else { return true }
      let length = text.firstMatch(of: /Content-Length: (\d+)/).flatMap { Int($0.1) } ?? 0
      return text[end.upperBound...].utf8.count >= length
    }
  }

  private func receive(within seconds: Double, until isEnough: ((String) -> Bool)? = nil) -> String?
  {
    let deadline = Date().addingTimeInterval(seconds)
    var received: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while Date() < deadline {
      var state = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard poll(&state, 1, 100) > 0 else { continue }
      let count = recv(descriptor, &chunk, chunk.count, 0)
      if count <= 0 { return String(decoding: received, as: UTF8.self) }
      received += chunk[..<count]
      guard let isEnough else { continue }
      let text = String(decoding: received, as: UTF8.self)
      if isEnough(text) { return text }
    }
    return nil
  }

  /// The whole response to a request on a connection of its own.
  static func exchange(_ port: UInt16, _ request: String, hasBody: Bool = true) throws -> String {
    let connection = try RawConnection(port: port)
    connection.send(request)
    return try #require(connection.receiveResponse(hasBody: hasBody))
  }

  static func get(_ port: UInt16, _ target: String, headers: [String] = []) throws -> String {
    let lines = ["GET \(target) HTTP/1.1", "Host: 127.0.0.1"] + headers
    return try exchange(port, lines.joined(separator: "\r\n") + "\r\n\r\n")
  }
}
