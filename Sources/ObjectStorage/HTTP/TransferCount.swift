import CCurl
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The transfers of the process that are under way. At exit they are ended before libcurl's own
/// libraries release their memory, which a thread in the middle of a transfer would still use.
enum TransferCount {
  private struct State {
    var isReady = false
    var isEnding = false
    var count = 0
  }

  private static let state = Mutex(State())

  /// How often, and with which pause in microseconds, the exit looks for transfers: three seconds
  /// in all. libcurl asks at least once a second whether a transfer shall end.
  private static let attempts = 300
  private static let pause: useconds_t = 10_000

  /// Whether the process exits.
  static var isEnding: Bool { state.withLock { $0.isEnding } }

  /// Prepares libcurl, once per process.
  ///
  /// - Throws: ``S3Error`` if it cannot be used.
  static func start() throws(S3Error) {
    let isReady = state.withLock { state in
      if !state.isReady, ccurl_global_init() == CURLE_OK {
        // Registered after those of libcurl's libraries, and so called before them.
        atexit { TransferCount.endAll() }
        state.isReady = true
      }
      return state.isReady
    }
    guard isReady else { throw S3Error(.unavailable, "libcurl cannot be started") }
  }

  /// - Returns: false if no transfer may begin any more.
  static func begin() -> Bool {
    state.withLock { state in
      guard !state.isEnding else { return false }
      state.count += 1
      return true
    }
  }

  static func end() { state.withLock { $0.count -= 1 } }

  private static func endAll() {
    state.withLock { $0.isEnding = true }
    for _ in 0..<attempts where state.withLock({ $0.count > 0 }) { usleep(pause) }
  }
}
