internal import Glibc

extension Endpoint {
  /// Whether only processes of this machine reach it: a Unix socket or a loopback address. A name
  /// is not looked up, because it may mean something else to libzmq; see
  /// ``resolvingLoopbackName()``.
  public var isOnThisMachine: Bool {
    guard case .tcp(let host, _) = kind else { return true }
    var v4 = in_addr()
    if inet_pton(AF_INET, host, &v4) == 1 { return Self.isLoopback(v4) }
    return host == "[::1]"
  }

  /// The same place by its address, if the host is a name that means this machine alone, such as
  /// `localhost`: to listen at, libzmq takes addresses only, and what was looked up cannot mean
  /// something else a moment later. Everything else stays as it is.
  ///
  /// Blocks while the system looks the name up.
  public func resolvingLoopbackName() -> Endpoint {
    guard case .tcp(let host, _) = kind, host != "*", !isIPv6 else { return self }
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, nil, &hints, &found) == 0 else { return self }
    defer { freeaddrinfo(found) }
    var addresses: [String] = []
    for entry in sequence(first: found, next: { $0?.pointee.ai_next }) {
      guard let entry = entry?.pointee else { break }
      guard let address = Self.loopbackAddress(entry) else { return self }
      addresses.append(address)
    }
    // Whoever connects by the name is given the IPv4 address first.
    guard let address = addresses.first(where: { !$0.contains(":") }) ?? addresses.first else {
      return self
    }
    return at(host: address)
  }

  /// Nil for an address that is not a loopback one.
  private static func loopbackAddress(_ entry: addrinfo) -> String? {
    switch entry.ai_family {
    case AF_INET:
      let address = UnsafeRawPointer(entry.ai_addr).loadUnaligned(as: sockaddr_in.self).sin_addr
      guard isLoopback(address) else { return nil }
      let bits = UInt32(bigEndian: address.s_addr)
      return [24, 16, 8, 0].map { "\(bits >> UInt32($0) & 0xFF)" }.joined(separator: ".")
    case AF_INET6:
      let address = UnsafeRawPointer(entry.ai_addr).loadUnaligned(as: sockaddr_in6.self).sin6_addr
      let isLoopback = withUnsafeBytes(of: address) {
        $0.dropLast().allSatisfy { $0 == 0 } && $0.last == 1
      }
      return isLoopback ? "::1" : nil
    default: return nil
    }
  }

  private static func isLoopback(_ address: in_addr) -> Bool {
    UInt32(bigEndian: address.s_addr) >> 24 == 127
  }
}
