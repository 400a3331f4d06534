internal import CMicroHTTPD
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A small HTTP/1.1 server for metrics and pages, on libmicrohttpd and one thread of its own.
///
/// Everything is bounded: connections, memory per connection, and how long one may stay idle, so
/// that a reader that stalls is dropped and costs the process nothing. Requests have no body.
/// Answers are computed one at a time on the server's thread and must not block it.
package final class WebServer: Sendable {
  package struct Limits: Sendable {
    /// Connections at one time; further ones wait in the system's queue.
    package var connections: UInt32 = 32
    /// After how many seconds without progress a connection is closed.
    package var idleSeconds: UInt32 = 10
    /// Bytes for the headers of a connection.
    var connectionMemory = 16 << 10

    package init() {}
  }

  /// The headers of every response: nothing is kept, embedded elsewhere, or taken for a script.
  static let headers: [(name: String, value: String)] = [
    (name: "Cache-Control", value: "no-store"),
    (name: "Content-Security-Policy", value: "default-src 'none'; frame-ancestors 'none'"),
    (name: "Referrer-Policy", value: "no-referrer"),
    (name: "X-Content-Type-Options", value: "nosniff"),
  ]

  /// The address with the port that the system chose.
  package let boundAddress: WebAddress
  private let isProtected: Bool

  /// libmicrohttpd's daemon and what its handler gets.
  private struct Running: @unchecked Sendable {
    let daemon: OpaquePointer
    let handler: Unmanaged<RequestHandler>
  }

  private let running: Mutex<Running?>

  /// Listens and answers until ``stop()``.
  ///
  /// - Parameters:
  ///   - token: what requests must contain; nil for none.
  ///   - respond: computes an answer, on the server's thread.
  /// - Throws: ``WebError``.
  package init(
    address: WebAddress, token: WebToken? = nil, limits: Limits = Limits(),
    respond: @escaping @Sendable (WebRequest) -> WebResponse
  ) throws(WebError) {
    let socket = try ListeningDescriptor(address)
    boundAddress = socket.address
    isProtected = token != nil
    let gate = RequestGate(token: token, isLoopback: address.isLoopback)
    let handler = Unmanaged.passRetained(RequestHandler(gate: gate, respond: respond))
    guard let daemon = Self.start(socket.descriptor, limits, handler) else {
      let number = errno
      close(socket.descriptor)
      handler.release()
      throw WebError(
        .failed,
        "Cannot start the server at \(address): \(String(cString: strerror(number))); start fewer "
          + "threads on this machine.")
    }
    running = Mutex(Running(daemon: daemon, handler: handler))
  }

  deinit { stop() }

  /// Closes all connections. A second call does nothing.
  package func stop() {
    let stopped = running.withLock { running in
      defer { running = nil }
      return running
    }
    guard let stopped else { return }
    MHD_stop_daemon(stopped.daemon)
    stopped.handler.release()
  }

  /// The server's URL, such as `http://127.0.0.1:9100`. Of all interfaces, the loopback one.
  package var url: String {
    let host = boundAddress.isEveryInterface ? WebAddress.loopback : boundAddress.host
    return "http://\(WebAddress(host: host, port: boundAddress.port))"
  }

  /// A warning if other machines may read everything; nil if not.
  package var exposureWarning: String? {
    guard !isProtected, !boundAddress.isLoopback else { return nil }
    return "\(boundAddress) is open to other machines without a token"
  }

  private static func start(
    _ descriptor: Int32, _ limits: Limits, _ handler: Unmanaged<RequestHandler>
  ) -> OpaquePointer? {
    var options = [
      option(.LISTEN_SOCKET, Int(descriptor)),
      option(.CONNECTION_LIMIT, Int(limits.connections)),
      option(.CONNECTION_TIMEOUT, Int(limits.idleSeconds)),
      option(.CONNECTION_MEMORY_LIMIT, limits.connectionMemory),
      option(.END, 0),
    ]
    // Signals are handled by the main thread only; the new thread inherits the mask.
    var all = sigset_t()
    var before = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_BLOCK, &all, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    let flags = MHD_USE_INTERNAL_POLLING_THREAD.rawValue | MHD_USE_POLL.rawValue
    return options.withUnsafeMutableBufferPointer { options in
      let list: [any CVarArg] = [
        Int32(MHD_OPTION.ARRAY.rawValue), Int(bitPattern: options.baseAddress),
        Int32(MHD_OPTION.END.rawValue),
      ]
      return withVaList(list) {
        MHD_start_daemon_va(
          flags, 0, nil, nil, RequestHandler.callback, handler.toOpaque(), $0)
      }
    }
  }

  private static func option(_ kind: MHD_OPTION, _ value: Int) -> MHD_OptionItem {
    MHD_OptionItem(option: kind, value: value, ptr_value: nil)
  }
}
