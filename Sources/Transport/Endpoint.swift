import Files

/// A checked address in libzmq's notation: `tcp://HOST:PORT` or `ipc://PATH`.
package struct Endpoint: Sendable, Hashable, CustomStringConvertible {
  package enum Kind: Sendable, Hashable {
    /// `port` is nil for `*`, a free port of the system's choice. IPv6 addresses are in brackets.
    case tcp(host: String, port: UInt16?)
    case ipc(path: String)
  }

  package let kind: Kind

  /// Whether a Unix socket can have this path.
  package static func isUsable(socketPath path: String) -> Bool {
    (try? Endpoint("ipc://\(path)")) != nil
  }

  /// Longest path of a Unix socket, in bytes, without the final NUL.
  static let maximumPathBytes = 107

  /// - Throws: ``TransportError`` with the code `invalidEndpoint`.
  package init(_ text: String) throws(TransportError) {
    if text.hasPrefix("tcp://") {
      kind = try Self.tcp(text.dropFirst("tcp://".count), in: text)
    } else if text.hasPrefix("ipc://") {
      kind = try Self.ipc(text.dropFirst("ipc://".count), in: text)
    } else {
      throw Self.invalid(text, "it begins with neither tcp:// nor ipc://")
    }
  }

  private init(kind: Kind) {
    self.kind = kind
  }

  package var description: String {
    switch kind {
    case .tcp(let host, let port): "tcp://\(host):\(port.map(String.init) ?? "*")"
    case .ipc(let path): "ipc://\(path)"
    }
  }

  /// The same port at another host: the address at which peers reach a socket that is bound to all
  /// interfaces.
  package func at(host: String) -> Endpoint {
    switch kind {
    case .tcp(_, let port):
      let isBareIPv6 = host.contains(":") && !host.hasPrefix("[")
      return Endpoint(kind: .tcp(host: isBareIPv6 ? "[\(host)]" : host, port: port))
    case .ipc: return self
    }
  }

  /// Whether it means all addresses of a machine; others cannot connect to it.
  package var isEveryAddress: Bool {
    if case .tcp(let host, _) = kind { ["*", "0.0.0.0", "[::]"].contains(host) } else { false }
  }

  var isIPv6: Bool {
    if case .tcp(let host, _) = kind { host.hasPrefix("[") } else { false }
  }

  /// Whether it names a single host and port, so that it can be connected to.
  var isDefinite: Bool {
    if case .tcp(_, let port) = kind {
      !isEveryAddress && port != nil && port != 0
    } else {
      true
    }
  }

  private static func tcp(_ rest: Substring, in text: String) throws(TransportError) -> Kind {
    guard let colon = rest.lastIndex(of: ":") else { throw invalid(text, "it has no port") }
    let host = String(rest[..<colon])
    let port = rest[rest.index(after: colon)...]
    let hasStrayColon = host.contains(":") && !(host.hasPrefix("[") && host.hasSuffix("]"))
    guard !host.isEmpty, !hasStrayColon, !host.contains(where: { $0.isWhitespace || $0 == "/" }),
      !hasControlCharacters(host)
    else {
      throw invalid(text, "'\(host.sanitized())' is not a host (an IPv6 address needs brackets)")
    }
    if port == "*" { return .tcp(host: host, port: nil) }
    guard let number = UInt16(port) else {
      throw invalid(text, "'\(port.sanitized())' is not a port (0 to 65535, or * for a free one)")
    }
    return .tcp(host: host, port: number)
  }

  private static func ipc(_ rest: Substring, in text: String) throws(TransportError) -> Kind {
    guard !rest.isEmpty else { throw invalid(text, "it has no path") }
    guard rest.utf8.count <= maximumPathBytes else {
      throw invalid(
        text,
        "its path has \(rest.utf8.count) bytes, and a Unix socket's path may have at most"
          + " \(maximumPathBytes)")
    }
    guard !hasControlCharacters(rest) else {
      throw invalid(text, "its path has control characters")
    }
    return .ipc(path: String(rest))
  }

  /// libzmq reads up to the first NUL, so without this check it could use another address than the
  /// one that was checked.
  private static func hasControlCharacters(_ text: some StringProtocol) -> Bool {
    text.utf8.contains { $0 < 0x20 || $0 == 0x7F }
  }

  private static func invalid(_ text: String, _ found: String) -> TransportError {
    TransportError(
      .invalidEndpoint,
      "Cannot use the endpoint '\(text.sanitized(atMost: 160))': \(found);"
        + " write it as tcp://HOST:PORT or ipc://PATH."
    )
  }
}
