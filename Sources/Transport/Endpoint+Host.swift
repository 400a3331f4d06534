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
}
