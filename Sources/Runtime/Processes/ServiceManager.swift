import Foundation
import Synchronization
import Transport

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Messages to the service manager that started this process, such as systemd for a unit with
/// `Type=notify`: datagrams to the socket in `NOTIFY_SOCKET`, as sd_notify(3) describes them.
/// Without one, nothing is sent. Nothing waits, and what cannot be sent is dropped.
package final class ServiceManager: Sendable {
  /// The manager of this process.
  package static let inherited = ServiceManager(
    environment: ProcessInfo.processInfo.environment, process: getpid())

  /// The variables that children must not inherit: their messages would be taken for this
  /// process's.
  package static let variables = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]

  private struct State {
    var isReady = false
    var status = ""
    var signAt = -Double.infinity
  }

  private let path: String?
  /// Seconds from one life sign to the next; nil if the manager wants none.
  private let interval: Double?
  private let state = Mutex(State())

  /// - Parameter process: the id of this process: life signs may be wanted of another one.
  package init(environment: [String: String], process: Int32) {
    path = environment["NOTIFY_SOCKET"].flatMap {
      $0.hasPrefix("/") || $0.hasPrefix("@") ? $0 : nil
    }
    let isOurs = environment["WATCHDOG_PID"].map { $0 == "\(process)" } ?? true
    interval = environment["WATCHDOG_USEC"].flatMap { Double($0) }
      .flatMap { isOurs && $0 > 0 ? $0 / 1e6 / 4 : nil }
  }

  /// The process does its work now: it has joined, or it listens.
  ///
  /// - Parameter status: what `systemctl status` shows.
  package func ready(_ status: String) {
    let isNew = state.withLock { state in
      defer { (state.isReady, state.status) = (true, status) }
      return !state.isReady || state.status != status
    }
    if isNew { send("READY=1\nSTATUS=\(Self.line(status))") }
  }

  /// What the process waits for, or does.
  package func show(_ status: String) {
    let isNew = state.withLock { state in
      defer { state.status = status }
      return state.status != status
    }
    if isNew { send("STATUS=\(Self.line(status))") }
  }

  /// A sign that the calling thread does not hang. Called often; sent as often as the manager
  /// wants.
  package func live() {
    guard let interval else { return }
    let now = MonotonicClock.seconds
    let isDue = state.withLock {
      guard now - $0.signAt >= interval else { return false }
      $0.signAt = now
      return true
    }
    if isDue { send("WATCHDOG=1") }
  }

  private static func line(_ text: String) -> String { text.replacing("\n", with: " ") }

  private func send(_ message: String) {
    guard let path else { return }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    var name = Array(path.utf8)
    guard name.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
    // An abstract socket: its name begins with a zero byte, and its length counts.
    if name[0] == UInt8(ascii: "@") { name[0] = 0 }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
    let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
    let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    let bytes = Array(message.utf8)
    _ = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        sendto(
          descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT), $0,
          length)
      }
    }
  }
}
