import Glibc

extension Endpoint {
  /// Looks up the host's name. libzmq retries an unknown name for ever without reporting it, which
  /// is right for a host that is still starting and wrong for a typing error. So a process checks
  /// once before it connects, and reports what it finds.
  ///
  /// Blocks during the lookup.
  ///
  /// - Throws: ``TransportError`` with the code `hostUnknown`.
  package func checkHost() throws(TransportError) {
    guard case .tcp(let host, _) = kind, host != "*" else { return }
    let name = isIPv6 ? String(host.dropFirst().dropLast()) : host
    var found: UnsafeMutablePointer<addrinfo>?
    let result = getaddrinfo(name, nil, nil, &found)
    guard result == 0 else {
      throw TransportError(
        .hostUnknown,
        "Cannot find the host '\(name)' of \(self): \(String(cString: gai_strerror(result)));"
          + " check the spelling and this machine's name service.")
    }
    freeaddrinfo(found)
  }

  /// Checks that this machine has a route to the endpoint. libzmq retries for ever without
  /// reporting that the network is down. Nothing is sent.
  ///
  /// Blocks during the lookup of the host's name; an unknown name passes (see ``checkHost()``).
  ///
  /// - Throws: ``TransportError`` with the code `addressNotAvailable`.
  package func checkRoute() throws(TransportError) {
    guard case .tcp(let host, _) = kind, host != "*" else { return }
    var found: UnsafeMutablePointer<addrinfo>?
    let name = isIPv6 ? String(host.dropFirst().dropLast()) : host
    guard getaddrinfo(name, "9", nil, &found) == 0 else { return }
    defer { freeaddrinfo(found) }
    var problem: CInt?
    var next = found
    while let address = next {
      next = address.pointee.ai_next
      let descriptor = socket(
        address.pointee.ai_family, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
      guard descriptor >= 0 else { continue }
      defer { close(descriptor) }
      // For a datagram socket, connecting only looks up the route.
      if connect(descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0 { return }
      problem = errno
    }
    guard let problem, [ENETUNREACH, EHOSTUNREACH, ENETDOWN, EADDRNOTAVAIL].contains(problem)
    else { return }
    let advice =
      isOnThisMachine
      ? "the loopback interface of this machine is down; 'ip link set lo up' starts it"
      : "check this machine's network"
    throw TransportError(
      .addressNotAvailable,
      "Cannot reach \(self): \(Errno(number: problem).text); \(advice).")
  }

  /// Whether processes of this machine reach each other at 127.0.0.1. In a new network namespace
  /// the loopback interface is down until it is started.
  package static var reachesLoopback: Bool {
    (try? Endpoint("tcp://127.0.0.1:9").checkRoute()) != nil
  }
}

extension Endpoint {
  /// Whether only processes of this machine can reach it: a Unix socket or a loopback address.
  /// Names are not looked up, because libzmq may resolve them differently; see
  /// ``resolvingLoopbackName()``.
  package var isOnThisMachine: Bool {
    guard case .tcp(let host, _) = kind else { return true }
    var v4 = in_addr()
    if inet_pton(AF_INET, host, &v4) == 1 { return Self.isLoopback(v4) }
    return host == "[::1]"
  }

  /// The endpoint with a loopback address in place of a name for this machine such as `localhost`;
  /// every other endpoint is unchanged. libzmq listens at addresses only, and an address that was
  /// checked cannot resolve to something else later.
  ///
  /// Blocks during the lookup.
  package func resolvingLoopbackName() -> Endpoint {
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
    // Peers that connect by the name try the IPv4 address first.
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
