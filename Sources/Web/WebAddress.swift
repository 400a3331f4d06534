import Files

/// Where an HTTP server listens: `HOST:PORT`, `:PORT` or `PORT`.
///
/// Without a host it is 127.0.0.1, which only processes of this machine reach; `*` means all
/// interfaces. An IPv6 address needs brackets. Port 0 is a free port of the system's choice.
package struct WebAddress: Sendable, Hashable, CustomStringConvertible {
  /// A name or an address, without brackets.
  package let host: String
  package let port: UInt16

  package static let loopback = "127.0.0.1"

  /// The longest name that the domain name system has, in bytes.
  private static let maximumHostBytes = 253

  package init(host: String = loopback, port: UInt16) {
    self.host = host
    self.port = port
  }

  /// - Throws: ``WebError`` with the code `invalidAddress`.
  package init(_ text: String) throws(WebError) {
    guard let colon = text.lastIndex(of: ":") else {
      self.init(port: try Self.port(text[...], in: text))
      return
    }
    let port = try Self.port(text[text.index(after: colon)...], in: text)
    self.init(host: try Self.host(text[..<colon], in: text), port: port)
  }

  /// `HOST:PORT`, as ``init(_:)`` reads it.
  package var description: String { "\(host.contains(":") ? "[\(host)]" : host):\(port)" }

  /// Whether only processes of this machine reach it. Other names than `localhost` count as
  /// reachable from elsewhere, because a name may resolve to any address.
  package var isLoopback: Bool {
    if host == "::1" || host.lowercased() == "localhost" { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }

  /// Whether it means all interfaces of this machine.
  package var isEveryInterface: Bool { ["*", "0.0.0.0", "::"].contains(host) }

  private static func port(_ text: Substring, in whole: String) throws(WebError) -> UInt16 {
    guard !text.isEmpty else { throw invalid(whole, "it has no port") }
    guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(text) else {
      throw invalid(whole, "'\(text.sanitized())' is not a port (0 to 65535; 0 for a free one)")
    }
    return port
  }

  private static func host(_ text: Substring, in whole: String) throws(WebError) -> String {
    if text.isEmpty { return loopback }
    if text == "*" { return "*" }
    let isBracketed = text.hasPrefix("[") && text.hasSuffix("]") && text.count > 2
    let host = isBracketed ? text.dropFirst().dropLast() : text
    let allowed: (UInt8) -> Bool =
      isBracketed
      ? { isHexadecimal($0) || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".") }
      : { isInName($0) }
    guard host.utf8.count <= maximumHostBytes, host.utf8.allSatisfy(allowed) else {
      throw invalid(
        whole, "'\(text.sanitized())' is not a host (an IPv6 address needs brackets)")
    }
    return String(host)
  }

  private static func isHexadecimal(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x46, 0x61...0x66: true
    default: false
    }
  }

  /// Letters, digits, and `-`, `.` and `_`.
  private static func isInName(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
    default: false
    }
  }

  private static func invalid(_ text: String, _ found: String) -> WebError {
    WebError(
      .invalidAddress,
      "Cannot use the address '\(text.sanitized(atMost: 160))': \(found);"
        + " write it as HOST:PORT, :PORT or PORT.")
  }
}
