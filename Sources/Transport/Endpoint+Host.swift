internal import Glibc

extension Endpoint {
  /// Looks the host's name up. libzmq itself retries an unknown name for ever without a word, which
  /// is right for a host that is still starting and wrong for a slip of the pen: a shell asks
  /// once beside it, and tells its user.
  ///
  /// Blocks while the system looks the name up.
  ///
  /// - Throws: ``TransportError`` with the code `hostUnknown`.
  public func checkHost() throws(TransportError) {
    guard case .tcp(let host, _) = kind, host != "*" else { return }
    let name = isIPv6 ? String(host.dropFirst().dropLast()) : host
    var found: UnsafeMutablePointer<addrinfo>?
    let result = getaddrinfo(name, nil, nil, &found)
    guard result == 0 else {
      throw TransportError(
        .hostUnknown,
        "Cannot find the host '\(name)' of \(self): \(String(cString: gai_strerror(result)));"
          + " check its spelling and this machine's name service.")
    }
    freeaddrinfo(found)
  }

  /// Looks whether this machine knows a way to the endpoint at all. Like an unknown host, a network
  /// that is down is tried again by libzmq without a word. Nothing is sent.
  ///
  /// Blocks while the system looks the host's name up; an unknown one has no way that could miss.
  ///
  /// - Throws: ``TransportError`` with the code `addressNotAvailable`.
  public func checkRoute() throws(TransportError) {
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
      // Of a datagram socket, this looks for a route and no more.
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

  /// Whether processes of this machine reach each other at 127.0.0.1: in a network namespace of its
  /// own they do only once somebody has started its loopback interface.
  public static var reachesLoopback: Bool {
    (try? Endpoint("tcp://127.0.0.1:9").checkRoute()) != nil
  }
}
