import Foundation
import TestSupport
import Testing

/// The addresses of processes: how they are reported, and addresses that cannot be reached.
@Suite struct AddressTests {
  private static let settings = [
    "--workers", "1", "--servers", "1", "--epochs", "1", "--set", "train_batch_size=512",
  ]

  @Test("a port chosen by the system is printed, and in a file while the process listens")
  func files() throws {
    let folder = try TemporaryFolder()
    func start(_ name: String, _ arguments: [String]) throws -> (RunningCommand, String) {
      let running = try RunningCommand(
        folder, arguments + ["--listen", "tcp://127.0.0.1:*", "--endpoint-file", folder.path(name)])
      try Wait.until("\(name) listens") {
        FileManager.default.fileExists(atPath: folder.path(name)) || !running.isRunning
      }
      let address = try folder.text(name)
      #expect(address.wholeMatch(of: /tcp:\/\/127\.0\.0\.1:[1-9]\d*\n/) != nil, "\(address)")
      return (running, address.trimmingCharacters(in: .newlines))
    }
    let (coordinator, address) = try start(
      "coordinator",
      ["coordinator", "--data", folder.generateData(), "--run", folder.path("run")]
        + Self.settings)
    // The file may appear before the line is written.
    try Wait.until("the coordinator prints its address") {
      coordinator.errors.contains("listening at \(address)\n") || !coordinator.isRunning
    }
    let (server, own) = try start("server", ["server", "--coordinator", address])
    try Wait.until("the server logs its address") {
      server.errors.contains("reached at \(own)") || !server.isRunning
    }
    let worker = try Command("worker", "--coordinator", address)
    #expect(worker.status == 0, "\(worker.errors)")
    #expect(try coordinator.wait() == 0, "\(coordinator.errors)")
    #expect(try server.wait() == 0, "\(server.errors)")
    #expect(coordinator.errors.contains("listening at \(address)\n"), "\(coordinator.errors)")
    #expect(server.errors.contains("reached at \(own)"), "\(server.errors)")
    for name in ["coordinator", "server"] {
      #expect(!FileManager.default.fileExists(atPath: folder.path(name)), "\(name)")
    }
  }

  @Test("an address file that cannot be written is refused before the process listens")
  func unusableFile() throws {
    let folder = try TemporaryFolder()
    let pipe = folder.path("pipe")
    try #require(mkfifo(pipe, 0o600) == 0)
    let data = try folder.generateData()
    let precious = try folder.write("1,2,3\n", to: "precious.csv")
    let link = folder.path("link")
    try #require(symlink(precious, link) == 0)
    for path in [folder.path("no/file"), folder.path, pipe, precious, link] {
      for role in [["server"], ["coordinator", "--data", data, "--run", folder.path("run")]] {
        let command = try Command(
          arguments: role + ["--listen", "tcp://127.0.0.1:*", "--endpoint-file", path])
        #expect(command.status == 73, "\(path): \(command.errors)")
        #expect(command.errors.contains("(--endpoint-file)"), "\(command.errors)")
      }
    }
    #expect(!FileManager.default.fileExists(atPath: folder.path("run")))
    #expect(try folder.text("precious.csv") == "1,2,3\n")
  }

  /// Whether this system lets a test have a network of its own, whose loopback interface is down.
  private static let hasOwnNetworks: Bool = {
    (try? Command(bash: "exec unshare -rn true", arguments: []).status) == 0
  }()

  @Test(
    "a cluster of one machine trains although the loopback interface is down",
    .enabled(if: hasOwnNetworks))
  func trainsWithoutLoopback() throws {
    let folder = try TemporaryFolder()
    let command = try Command(
      bash: "exec unshare -rn \"$@\"",
      arguments: ["train", "--data", folder.generateData(), "--run", folder.path("run"), "--quiet"]
        + Self.settings)
    #expect(command.status == 0, "\(command.errors)")
  }

  @Test(
    "and roles that were started by hand report the problem at once", .enabled(if: hasOwnNetworks))
  func namesLoopback() throws {
    let address = ["--coordinator", "tcp://127.0.0.1:7000", "--join-timeout", "1"]
    for role in ["worker", "server"] {
      let command = try Command(
        bash: "exec unshare -rn \"$@\"", arguments: [role] + address)
      #expect(command.status == 138, "\(command.errors)")
      let sentence = "the loopback interface of this machine is down; 'ip link set lo up'"
      #expect(command.errors.contains(sentence), "\(command.errors)")
      // Also in the last line, which is all that a service manager may show.
      let last = command.errors.split(separator: "\n").last
      #expect(last?.contains(sentence) == true, "\(command.errors)")
    }
  }
}
