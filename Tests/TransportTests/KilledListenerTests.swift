import Foundation
import Protocol
import Testing
import Transport

extension TransportTests {
  @Suite("A listener that was killed")
  struct KilledListenerTests {
    @Test("its Unix socket can be bound at once, and connected peers reach the next listener")
    func unixSocket() async throws {
      let folder = FileManager.default.temporaryDirectory
        .appendingPathComponent("mrdib-\(UUID().uuidString.prefix(8))").path
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(atPath: folder) }
      let path = "\(folder)/coordinator"
      let context = try ZeroMQContext()
      let client = try Node(context: context)
      let peer = try client.connect(try Endpoint("ipc://\(path)"))
      try client.send(WireMessage("to the first"), to: peer)

      await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
        let node = try Node(context: try ZeroMQContext())
        _ = try node.bind("ipc://\(path)")
        guard node.received.next()?.message.text == "to the first" else { exit(1) }
        kill(getpid(), SIGKILL)
      }
      // The killed one could not clean up.
      #expect(FileManager.default.fileExists(atPath: path))
      #expect(FileManager.default.fileExists(atPath: path + ".lock"))

      let next = try Node(context: context)
      #expect(throws: Never.self) { try next.bind("ipc://\(path)") }
      try client.send(WireMessage("to the next"), to: peer)
      #expect(next.received.next()?.message.text == "to the next")
      try next.stop()
      try client.stop()
      try context.terminate()
    }
  }
}
