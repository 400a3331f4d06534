import Foundation
import Glibc
import Testing

/// TCP without any protocol.
enum TestSocket {
  /// A free port of this machine. It is none of those that the system gives to programs that ask
  /// for any port, so it is probably free a little later, too.
  static func freePort() throws -> UInt16 {
    for _ in 0..<100 {
      let port = UInt16.random(in: 15_000..<32_000)
      let descriptor = try make()
      defer { close(descriptor) }
      var address = loopback(port: port)
      let isFree = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
      }
      if isFree { return port }
    }
    throw CocoaError(.featureUnsupported)
  }

  /// Connects, sends bytes, and keeps the connection open.
  ///
  /// - Returns: the descriptor, which the caller closes; nil if the other side accepts no more.
  static func hold(_ bytes: [UInt8] = [], at port: UInt16) throws -> Int32? {
    let descriptor = try make()
    var address = loopback(port: port)
    let isConnected = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    guard isConnected else {
      close(descriptor)
      return nil
    }
    var limit = timeval(tv_sec: 2, tv_usec: 0)
    setsockopt(
      descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.prefix(1 << 20).withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { break }
      rest = rest.dropFirst(count)
    }
    return descriptor
  }

  /// Connects, sends bytes, and hangs up.
  static func send(_ bytes: [UInt8], to port: UInt16) throws {
    let descriptor = try make()
    defer { close(descriptor) }
    var address = loopback(port: port)
    let isConnected = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    try #require(isConnected)
    // The other side may hang up before it has everything.
    _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    usleep(20_000)
  }

  /// The whole response to an HTTP request.
  ///
  /// - Parameter header: one more, or several with line breaks.
  static func get(_ target: String, at port: UInt16, _ header: String = "X-None: 1") throws
    -> String
  {
    let request =
      "GET \(target) HTTP/1.1\r\nHost: localhost\r\n\(header)\r\nConnection: close\r\n\r\n"
    let descriptor = try #require(try hold(Array(request.utf8), at: port))
    defer { close(descriptor) }
    var received: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = recv(descriptor, &chunk, chunk.count, 0)
      if count <= 0 { return String(decoding: received, as: UTF8.self) }
      received += chunk[..<count]
    }
  }

  /// Listens at a port of this machine, and accepts nothing.
  final class Listener: Sendable {
    let port: UInt16
    private let descriptor: Int32

    init() throws {
      port = try freePort()
      descriptor = try make()
      var address = loopback(port: port)
      let isBound = withUnsafePointer(to: &address) { [descriptor] pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
      }
      try #require(isBound && listen(descriptor, 1) == 0)
    }

    deinit { close(descriptor) }
  }

  private static func make() throws -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    try #require(descriptor >= 0)
    return descriptor
  }

  private static func loopback(port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return address
  }
}
