import Foundation
import TestSupport
import Testing

/// Processes that find their cluster through variables and files, in any order, and again when the
/// coordinator moves.
@Suite(.serialized) struct RendezvousCommandTests {
  private static let settings =
    ["--epochs", "40", "--shards", "2"]
    + [
      "stopping_step=40", "train_batch_size=512", "heartbeat_interval_ms=100",
      "node_timeout_ms=2000",
    ].flatMap { ["--set", $0] }

  private func wait(
    for epochs: Int, in folder: TemporaryFolder, while running: RunningCommand
  ) throws {
    try Wait.until("\(epochs) epochs") {
      let file = FileManager.default.contents(atPath: folder.path("run/metrics.jsonl")) ?? Data()
      return file.count { $0 == UInt8(ascii: "\n") } >= epochs || !running.isRunning
    }
    #expect(running.isRunning, "\(running.errors)")
  }

  @Test("worker and server first; the coordinator is killed and starts at another port: same bits")
  func movedCoordinator() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let alone = try Command(
      arguments: ["train", "--single-process", "--quiet", "--data", data] + Self.settings
        + ["--run", folder.path("alone")])
    #expect(alone.status == 0, "\(alone.errors)")

    let file = folder.path("coordinator.endpoint")
    // One set of variables for all processes.
    let variables = [
      "MRDIB_COORDINATOR": "file://\(file)", "MRDIB_DATA_FOLDER": data, "MRDIB_WORKERS": "1",
      "MRDIB_SERVERS": "1", "MRDIB_ADVERTISE": "127.0.0.1",
    ]
    func start(_ arguments: String...) throws -> RunningCommand {
      try RunningCommand(folder, arguments, environment: variables)
    }
    let worker = try start("worker", "--name", "w")
    let server = try start("server", "--name", "s")
    try Wait.until("both look for the coordinator") {
      [worker, server].allSatisfy { $0.errors.contains("looking for the coordinator at file://") }
    }
    func coordinate(_ options: [String]) throws -> RunningCommand {
      try RunningCommand(
        folder, ["coordinator", "--run", folder.path("run")] + Self.settings + options,
        environment: variables)
    }
    let first = try coordinate(["--insecure-network"])
    try wait(for: 3, in: folder, while: first)
    let address = try folder.text("coordinator.endpoint")
    #expect(address.wholeMatch(of: /tcp:\/\/127\.0\.0\.1:[1-9]\d*\n/) != nil, "\(address)")
    first.killWithChildren()
    _ = try first.wait()
    // Not one of the ports that the system chooses from.
    let port = try TestSocket.freePort()
    let second = try coordinate(["--listen", "tcp://127.0.0.1:\(port)"])
    #expect(try second.wait() == 0, "\(second.errors)")
    #expect(try worker.wait() == 0, "\(worker.errors)")
    #expect(try server.wait() == 0, "\(server.errors)")
    #expect(worker.errors.contains("the coordinator's address is tcp://127.0.0.1:\(port) now"))
    #expect(second.errors.contains("with the tables that the servers hold"), "\(second.errors)")
    #expect(try folder.exportedBytes("run") == folder.exportedBytes("alone"))
    #expect(!FileManager.default.fileExists(atPath: file))
  }

  @Test("without a coordinator's address in its file, a process ends with 138 and says so")
  func noAddress() throws {
    let folder = try TemporaryFolder()
    for content in [nil, "", "nonsense\n", "tcp://127.0.0.1:7000"] {
      if let content { try folder.write(content, to: "address") }
      let worker = try Command(
        "worker", "--coordinator", "file://\(folder.path("address"))", "--join-timeout", "1")
      #expect(worker.status == 138)
      #expect(worker.errors.contains("has held no coordinator's address for 1 s"))
    }
  }

  @Test("a process that waits for an address stops on SIGTERM")
  func stopWhileWaiting() throws {
    let folder = try TemporaryFolder()
    let server = try RunningCommand(
      folder, ["server", "--coordinator", "file://\(folder.path("address"))"])
    try Wait.until("the server looks for the file") { server.errors.contains("looking for") }
    server.terminate()
    #expect(try server.wait() == 0)
  }

  @Test("variables of an engine leave a cluster of 'train' alone")
  func trainInsideAJob() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let command = try Command(
      arguments: [
        "train", "--data", data, "--epochs", "1", "--workers", "1", "--servers", "1", "--quiet",
        "--set", "train_batch_size=512", "--run", folder.path("run"),
      ],
      environment: [
        "SLURM_JOB_ID": "7", "SLURM_JOB_NODELIST": "nosuchhost[1-2]", "SLURM_PROCID": "0",
        "SLURMD_NODENAME": "nosuchhost1", "DMLC_NUM_WORKER": "9",
        "MRDIB_COORDINATOR": "tcp://nosuchhost:1", "MRDIB_DATA_FOLDER": "/nosuchfolder",
      ])
    #expect(command.status == 0, "\(command.errors)")
  }

  @Test("all processes are stopped at once: nodes that stay write a last checkpoint")
  func stopDelay() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let file = folder.path("address")
    let coordinator = try RunningCommand(
      folder,
      [
        "coordinator", "--listen", "tcp://127.0.0.1:*", "--endpoint-file", file, "--data", data,
        "--run", folder.path("run"), "--workers", "1", "--servers", "1",
        "--set", "checkpoint_epochs=1000",
      ] + Self.settings)
    let nodes = try ["server", "worker"].map {
      try RunningCommand(folder, [$0, "--coordinator", "file://\(file)", "--stop-delay", "60"])
    }
    try wait(for: 3, in: folder, while: coordinator)
    for process in nodes + [coordinator] { process.terminate() }
    #expect(try coordinator.wait() == 143, "\(coordinator.errors)")
    for node in nodes { #expect(try node.wait() == 0, "\(node.errors)") }
    let list = try Command("checkpoint", "list", "--json", folder.path("run"))
    #expect(list.output.contains(#""newest_usable" : true"#), "\(list.output)")
  }
}
