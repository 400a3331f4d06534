import Files
import Foundation
import Transport
import Web

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Asks the page of a run for its JSON: one GET request of HTTP, on a connection of its own.
///
/// Foundation's client would load a dozen libraries for proxies and encryption, which a page does
/// not have.
package struct PageRequest: Sendable {
  /// Bytes of an answer at most.
  private static let sizeLimit = 64 << 20

  private let address: WebAddress
  private let token: String?
  private let seconds: Double

  /// - Parameters:
  ///   - address: of the page: `HOST:PORT`, or its URL.
  ///   - token: that the page asks for.
  ///   - seconds: how long everything may take.
  /// - Throws: `WebError` for what is no address.
  package init(address: String, token: String? = nil, within seconds: Double = 10) throws {
    var text = Substring(address)
    if text.hasPrefix("http://") { text = text.dropFirst(7) }
    text = text.prefix { $0 != "/" }
    self.address = try WebAddress(String(text))
    self.token = token
    self.seconds = seconds
  }

  /// The page that is asked, as messages name it.
  package var source: String { "the page at \(address)" }

  /// The overview of the only run of a live page.
  ///
  /// - Throws: ``RuntimeError``.
  package func overview() throws -> RunOverview {
    let body = try body(of: "/api/run")
    guard body != Array("null".utf8) else {
      throw failure("its run is not open yet; try again", .transient)
    }
    return try RunOverview(decoding: body, of: source)
  }

  // MARK: HTTP

  private func body(of path: String) throws -> [UInt8] {
    let answer = try answer(to: path)
    guard let end = answer.firstRange(of: Array("\r\n\r\n".utf8)) else {
      throw failure("it answered something that is not HTTP; check the port", .unavailable)
    }
    let head = String(decoding: answer[..<end.lowerBound], as: UTF8.self)
    let status = head.split(separator: " ").dropFirst().first.flatMap { Int($0) }
    switch status {
    case 200: return Array(answer[end.upperBound...])
    case 401:
      throw failure("it wants a token; give the file of it with --page-token", .usage)
    case 404:
      throw failure(
        "it has no run of its own; it may be the page of a folder: use --run with a run of it",
        .usage)
    default:
      throw failure("it answered with status \(status ?? 0); check the port", .unavailable)
    }
  }

  private func answer(to path: String) throws -> [UInt8] {
    let deadline = MonotonicClock.seconds + seconds
    let socket = try connected(until: deadline)
    defer { close(socket) }
    var request = "GET \(path) HTTP/1.1\r\nHost: \(address)\r\nConnection: close\r\n"
    if let token { request += "Authorization: Bearer \(token)\r\n" }
    var unsent = Array("\(request)\r\n".utf8)[...]
    while !unsent.isEmpty {
      try wait(for: POLLOUT, on: socket, until: deadline)
      let count = unsent.withUnsafeBytes {
        send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count < 0, errno != EAGAIN, errno != EINTR { throw failure(errno) }
      unsent = unsent.dropFirst(max(0, count))
    }
    var answer: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while answer.count <= Self.sizeLimit {
      try wait(for: POLLIN, on: socket, until: deadline)
      let count = buffer.withUnsafeMutableBytes { recv(socket, $0.baseAddress, $0.count, 0) }
      if count == 0 { return answer }
      if count < 0, errno != EAGAIN, errno != EINTR { throw failure(errno) }
      answer += buffer.prefix(max(0, count))
    }
    throw failure("it answered more than \(Self.sizeLimit >> 20) MiB", .dataMalformed)
  }

  private func connected(until deadline: Double) throws -> Int32 {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    let result = getaddrinfo(address.host, "\(address.port)", &hints, &found)
    guard result == 0, let first = found else {
      throw failure("\(String(cString: gai_strerror(result))); check the host", .unavailable)
    }
    defer { freeaddrinfo(first) }
    var problem = ECONNREFUSED
    for entry in sequence(first: first, next: { $0.pointee.ai_next }) {
      let descriptor = socket(
        entry.pointee.ai_family,
        Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
          | Int32(SOCK_CLOEXEC.rawValue), 0)
      guard descriptor >= 0 else {
        problem = errno
        continue
      }
      problem = connect(descriptor, entry.pointee, until: deadline)
      if problem == 0 { return descriptor }
      close(descriptor)
    }
    throw failure(problem)
  }

  /// - Returns: 0 or the error.
  private func connect(
    _ descriptor: Int32, _ entry: addrinfo, until deadline: Double
  ) -> Int32 {
    if Glibc.connect(descriptor, entry.ai_addr, entry.ai_addrlen) == 0 { return 0 }
    guard errno == EINPROGRESS else { return errno }
    guard (try? wait(for: POLLOUT, on: descriptor, until: deadline)) != nil else {
      return ETIMEDOUT
    }
    var problem: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &problem, &size) == 0 else { return errno }
    return problem
  }

  private func wait(for events: Int32, on socket: Int32, until deadline: Double) throws {
    while true {
      let left = deadline - MonotonicClock.seconds
      guard left > 0 else { throw failure(ETIMEDOUT) }
      var entry = pollfd(fd: socket, events: Int16(events), revents: 0)
      let count = poll(&entry, 1, Int32(min(left, 1) * 1000) + 1)
      if count > 0 { return }
      if count < 0, errno != EINTR { throw failure(errno) }
    }
  }

  private func failure(_ number: Int32) -> RuntimeError {
    let advice =
      number == ECONNREFUSED || number == ETIMEDOUT
      ? "start the coordinator with --page, and name that address" : "check the address"
    return failure("\(String(cString: strerror(number))); \(advice)", .transient)
  }

  private func failure(_ found: String, _ code: ExitCode) -> RuntimeError {
    RuntimeError(exitCode: code, message: "Cannot read the status from \(source): \(found).")
  }
}
