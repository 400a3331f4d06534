import Foundation
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A small HTTP server on this machine, for tests of clients with real sockets. Answers each
/// request with the bytes that a closure returns for it.
public final class HTTPServer: Sendable {
  /// A request as it was received.
  public struct Request: Sendable {
    public var method = ""
    /// As in the first line, still encoded.
    public var path = ""
    /// The query as in the first line, still encoded.
    public var query = ""
    /// By name in lower case.
    public var headers: [String: String] = [:]
    public var body: [UInt8] = []

    /// The decoded value of a name in the query; nil if it has none.
    public func value(_ name: String) -> String? {
      for pair in query.split(separator: "&") {
        let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        if parts[0] == name { return parts.count > 1 ? Self.decoded(parts[1]) : "" }
      }
      return nil
    }

    /// Without percent-encoding.
    public static func decoded(_ text: some StringProtocol) -> String {
      var bytes: [UInt8] = []
      var rest = Substring(text)
      while let first = rest.popFirst() {
        if first == "%", let byte = UInt8(rest.prefix(2), radix: 16) {
          bytes.append(byte)
          rest = rest.dropFirst(2)
        } else {
          bytes += Array(String(first).utf8)
        }
      }
      return String(decoding: bytes, as: UTF8.self)
    }
  }

  /// What the server does after it has received a request.
  public enum Answer: Sendable {
    /// Sends these bytes and keeps the connection.
    case bytes([UInt8])
    /// Sends these bytes, perhaps none, and closes the connection.
    case bytesAndClose([UInt8])
  }

  private let listener: Int32
  public let port: UInt16
  private let answer: @Sendable (Request) -> Answer
  private let connections = Mutex<Set<Int32>>([])

  /// Starts to listen at a free port of 127.0.0.1.
  public init(answer: @escaping @Sendable (Request) -> Answer) throws {
    self.answer = answer
    #if canImport(Glibc)
      listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0)
    #else
      listener = socket(AF_INET, SOCK_STREAM, 0)
    #endif
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let listener = listener
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        bind(listener, pointer, size) == 0 && listen(listener, 64) == 0
          && getsockname(listener, pointer, &size) == 0
      }
    }
    guard isBound else { throw CancellationError() }
    port = UInt16(bigEndian: address.sin_port)
    Thread.detachNewThread { [self] in accept() }
  }

  /// Stops to accept connections and ends those that are open.
  public func stop() {
    shutdown(listener, Int32(SHUT_RDWR))
    connections.withLock { connections in
      for connection in connections { shutdown(connection, Int32(SHUT_RDWR)) }
    }
  }

  private func accept() {
    while true {
      let connection = Glibc.accept(listener, nil, nil)
      guard connection >= 0 else { break }
      _ = connections.withLock { $0.insert(connection) }
      Thread.detachNewThread { [self] in
        serve(connection)
        _ = connections.withLock { $0.remove(connection) }
        close(connection)
      }
    }
    close(listener)
  }

  private func serve(_ connection: Int32) {
    var received: [UInt8] = []
    while let request = Self.request(from: connection, &received) {
      switch answer(request) {
      case .bytes(let bytes):
        guard Self.send(bytes, to: connection) else { return }
      case .bytesAndClose(let bytes):
        _ = Self.send(bytes, to: connection)
        return
      }
    }
  }

  private static func request(from connection: Int32, _ received: inout [UInt8]) -> Request? {
    let separator = Array("\r\n\r\n".utf8)
    var end: Int?
    while true {
      end = received.indices.first { received[$0...].starts(with: separator) }
      if end != nil { break }
      guard receive(from: connection, &received) else { return nil }
    }
    guard let end else { return nil }
    let lines = String(decoding: received[..<end], as: UTF8.self)
      .components(separatedBy: "\r\n")
    received.removeFirst(end + separator.count)
    var request = Request()
    let words = lines[0].split(separator: " ")
    guard words.count == 3 else { return nil }
    request.method = String(words[0])
    let target = words[1].split(separator: "?", maxSplits: 1)
    request.path = String(target.first ?? "")
    request.query = target.count > 1 ? String(target[1]) : ""
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2 else { continue }
      request.headers[parts[0].lowercased()] = String(parts[1].drop { $0 == " " })
    }
    if request.headers["expect"] != nil {
      guard send(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8), to: connection) else { return nil }
    }
    let count = request.headers["content-length"].flatMap { Int($0) } ?? 0
    while received.count < count {
      guard receive(from: connection, &received) else { return nil }
    }
    request.body = Array(received[..<count])
    received.removeFirst(count)
    return request
  }

  private static func receive(from connection: Int32, _ received: inout [UInt8]) -> Bool {
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    let count = recv(connection, &chunk, chunk.count, 0)
    guard count > 0 else { return false }
    received += chunk[..<count]
    return true
  }

  private static func send(_ bytes: [UInt8], to connection: Int32) -> Bool {
    var done = 0
    while done < bytes.count {
      let count = bytes[done...].withUnsafeBytes {
        Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return false }
      done += count
    }
    return true
  }
}
