import Foundation
import Runtime
import TestSupport
import Testing

/// Messages to a service manager, at a real socket.
@Suite struct ServiceManagerTests {
  /// A datagram socket with a path, as a service manager has one.
  private final class Receiver {
    let path: String
    private let descriptor: Int32

    init(in folder: TemporaryFolder) throws {
      path = folder.path("notify")
      descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
      var address = sockaddr_un()
      address.sun_family = sa_family_t(AF_UNIX)
      let name = Array(path.utf8)
      try #require(name.count < MemoryLayout.size(ofValue: address.sun_path))
      withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
      let code = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
      }
      try #require(code == 0)
    }

    deinit { close(descriptor) }

    /// What has arrived so far.
    func messages() -> [String] {
      var found: [String] = []
      var bytes = [UInt8](repeating: 0, count: 4096)
      while true {
        let count = recv(descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT))
        guard count >= 0 else { return found }
        found.append(String(decoding: bytes[..<count], as: UTF8.self))
      }
    }
  }

  @Test("readiness and status are sent when they change, life signs at the wanted rate")
  func messages() throws {
    let folder = try TemporaryFolder()
    let receiver = try Receiver(in: folder)
    let manager = ServiceManager(
      environment: [
        "NOTIFY_SOCKET": receiver.path, "WATCHDOG_USEC": "3600000000", "WATCHDOG_PID": "7",
      ], process: 7)
    manager.show("waiting")
    manager.show("waiting")
    manager.ready("worker 0\nof run x")
    manager.ready("worker 0\nof run x")
    manager.ready("worker 1 of run x")
    for _ in 0..<100 { manager.live() }
    #expect(
      receiver.messages() == [
        "STATUS=waiting", "READY=1\nSTATUS=worker 0 of run x", "READY=1\nSTATUS=worker 1 of run x",
        "WATCHDOG=1",
      ])
  }

  @Test("life signs that are wanted of another process, or not at all, are not sent")
  func otherProcess() throws {
    let folder = try TemporaryFolder()
    let receiver = try Receiver(in: folder)
    for values in [
      ["WATCHDOG_USEC": "1000", "WATCHDOG_PID": "8"], [:], ["WATCHDOG_USEC": "x"],
      ["WATCHDOG_USEC": "0"],
    ] {
      let environment = values.merging(["NOTIFY_SOCKET": receiver.path]) { $1 }
      ServiceManager(environment: environment, process: 7).live()
    }
    #expect(receiver.messages() == [])
  }

  @Test("a socket that does not exist, or a path that is none, changes nothing")
  func nowhere() {
    for path in ["/nonexistent/socket", "relative", "", "@", String(repeating: "/x", count: 200)] {
      let manager = ServiceManager(
        environment: ["NOTIFY_SOCKET": path, "WATCHDOG_USEC": "1000"], process: 7)
      manager.show("waiting")
      manager.ready("ready")
      manager.live()
    }
  }
}
