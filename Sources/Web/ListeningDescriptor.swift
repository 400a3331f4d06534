import Transport

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A TCP socket that accepts connections, and the address that it got.
struct ListeningDescriptor {
  let descriptor: Int32
  let address: WebAddress

  /// Binds the first address of the host that can be bound.
  ///
  /// Blocks while the name is looked up.
  ///
  /// - Throws: ``WebError``.
  init(_ wanted: WebAddress) throws(WebError) {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
    var found: UnsafeMutablePointer<addrinfo>?
    // One socket for IPv4 and IPv6 needs settings of the system, and clusters use IPv4.
    let host = wanted.host == "*" ? "0.0.0.0" : wanted.host
    let result = getaddrinfo(host, "\(wanted.port)", &hints, &found)
    guard result == 0, let first = found else {
      throw WebError(
        .addressNotAvailable,
        "Cannot listen at \(wanted): \(String(cString: gai_strerror(result))); check the spelling "
          + "of the host.")
    }
    defer { freeaddrinfo(first) }
    var problem = EADDRNOTAVAIL
    for entry in sequence(first: first, next: { $0.pointee.ai_next }) {
      do {
        descriptor = try Self.open(entry.pointee)
        address = WebAddress(host: wanted.host, port: Self.port(of: descriptor))
        return
      } catch {
        problem = error.number
      }
    }
    throw Self.failure(wanted, problem)
  }

  private struct Problem: Error {
    let number: Int32
  }

  private static func open(_ entry: addrinfo) throws(Problem) -> Int32 {
    let descriptor = socket(
      entry.ai_family,
      Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        | Int32(SOCK_NONBLOCK.rawValue), 0)
    guard descriptor >= 0 else { throw Problem(number: errno) }
    var yes: Int32 = 1
    // A restarted process gets the port of the one before.
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    guard bind(descriptor, entry.ai_addr, entry.ai_addrlen) == 0,
      listen(descriptor, waitingConnections) == 0
    else {
      let number = errno
      close(descriptor)
      throw Problem(number: number)
    }
    ConnectionGuard.exempt(listener: descriptor)
    return descriptor
  }

  /// Connections that the system keeps until they are accepted.
  private static let waitingConnections: Int32 = 32

  private static func port(of descriptor: Int32) -> UInt16 {
    var storage = sockaddr_storage()
    var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
    return withUnsafeMutablePointer(to: &storage) { storage in
      storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        guard getsockname(descriptor, address, &size) == 0 else { return 0 }
        // The port is at the same place in both families.
        return UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in.self).sin_port.bigEndian
      }
    }
  }

  private static func failure(_ address: WebAddress, _ number: Int32) -> WebError {
    let reason = String(cString: strerror(number))
    let (code, advice): (WebError.Code, String) =
      switch number {
      case EADDRINUSE: (.addressInUse, "choose another port (0 chooses a free one)")
      case EADDRNOTAVAIL: (.addressNotAvailable, "use an address of this machine")
      case EACCES, EPERM: (.permissionDenied, "choose a port above 1023")
      case EMFILE, ENFILE: (.resourceLimit, "raise the limit of open files (ulimit -n)")
      default: (.failed, "look up error \(number) of the operating system")
      }
    return WebError(code, "Cannot listen at \(address): \(reason); \(advice).")
  }
}
