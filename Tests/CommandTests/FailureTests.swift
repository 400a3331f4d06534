import Foundation
import TestSupport
import Testing

/// Failures of processes that work together.
@Suite(.serialized) struct FailureTests {
  private static let endless = [
    "--epochs", "100000", "--set", "stopping_step=100000", "--set", "train_batch_size=512",
  ]

  // MARK: Lost processes

  @Test(
    "kill -9 of a role without restarts: the run ends and names it, and no process is left",
    arguments: ["coordinator", "server", "worker"])
  func killed(role: String) throws {
    let folder = try TemporaryFolder()
    let run = "\(folder.path)/run"
    let train = try RunningCommand(
      folder,
      [
        "train", "--data", try folder.generateData(), "--run", run, "--workers", "2", "--servers",
        "2", "--set", "node_timeout_ms=2000", "--set", "restart_limit=0",
      ] + Self.endless)
    try Wait.until("the first best model") {
      FileManager.default.fileExists(atPath: "\(run)/best.json")
    }
    let children = train.children
    #expect(children.count == 5)
    let victim = try #require(children.first { $0.value.dropFirst().first == role }).key
    kill(victim, SIGKILL)
    try Wait.until("the announcement") {
      role == "coordinator" || train.errors.contains("was killed by signal 9 (KILL)")
    }
    #expect(try train.wait() == 138)
    let errors = train.errors
    let sentence = try #require(
      errors.firstMatch(of: /because (.+?)(-\d)? was killed by signal 9 \(KILL\)/), "\(errors)")
    #expect(sentence.1 == role)
    for child in children.keys { #expect(kill(child, 0) != 0, "\(child) is left") }
    // A killed coordinator cannot write a summary.
    if role != "coordinator" {
      let summary = try folder.object("run/summary.json")
      // The same command, with restarts, resumes the run.
      #expect(summary["outcome"] as? String == "interrupted")
    }
    #expect(try Command("recommend", "--run", run, "--user", "1", "--top", "3").status == 0)
  }

  @Test("kill -9 of a worker: a message says so, and another process replaces it under its name")
  func restarted() throws {
    let folder = try TemporaryFolder()
    let run = "\(folder.path)/run"
    let train = try RunningCommand(
      folder,
      ["train", "--data", try folder.generateData(), "--run", run, "--workers", "2"]
        + Self.endless)
    try Wait.until("the first best model") {
      FileManager.default.fileExists(atPath: "\(run)/best.json")
    }
    func worker() -> Int32? { train.children.first { $0.value.contains("worker-1") }?.key }
    let victim = try #require(worker())
    kill(victim, SIGKILL)
    try Wait.until("another worker-1") { worker().map { $0 != victim } ?? false }
    #expect(
      train.errors.contains(
        "worker-1 was killed by signal 9 (KILL); restarting it in 0.1 s (restart 1)"))
    train.terminate()
    _ = try train.wait()
  }

  // MARK: Nodes that do not belong together

  @Test("a worker with other data names both digests; the run does not start without it")
  func otherData() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let other = "\(folder.path)/other"
    let made = try Command(
      "data", "generate", "--out", other, "--users", "120", "--items", "90", "--interactions", "12")
    #expect(made.status == 0, "\(made.errors)")
    let address = "ipc://\(folder.path)/c.sock"
    let coordinator = try RunningCommand(
      folder,
      [
        "coordinator", "--listen", address, "--data", data, "--run", "\(folder.path)/run",
        "--workers", "1", "--servers", "1",
      ] + Self.endless)
    let server = try RunningCommand(folder, ["server", "--coordinator", address])
    defer { server.terminate() }
    let worker = try Command("worker", "--coordinator", address, "--data", other)
    #expect(worker.status == 1)
    #expect(worker.errors.contains("the data in '\(other)' is not that of the run"))
    #expect(worker.errors.contains("copy the same files"))
    // Before the cluster is complete the coordinator waits for another worker until its timeout.
    coordinator.terminate()
    #expect(try coordinator.wait() != 0)
    #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/run/best.json"))
  }

  @Test("a node with another run's id gets a message with the id that it found")
  func wrongRun() throws {
    let folder = try TemporaryFolder()
    let address = "ipc://\(folder.path)/c.sock"
    let coordinator = try RunningCommand(
      folder,
      [
        "coordinator", "--listen", address, "--data", try folder.generateData(), "--run",
        "\(folder.path)/run", "--run-id", "mine",
      ])
    for role in ["worker", "server"] {
      let node = try Command(role, "--coordinator", address, "--run-id", "yours")
      #expect(node.status == 1)
      #expect(node.errors.contains("'mine', not 'yours'"), "\(node.errors)")
    }
    #expect(coordinator.isRunning)
    coordinator.terminate()
    #expect(try coordinator.wait() == 143)
  }

  @Test("a server whose address cannot be reached: the run names it and does not wait for ever")
  func unreachableServer() throws {
    let folder = try TemporaryFolder()
    let address = "ipc://\(folder.path)/c.sock"
    let coordinator = try RunningCommand(
      folder,
      [
        "coordinator", "--listen", address, "--data", try folder.generateData(), "--run",
        "\(folder.path)/run", "--workers", "1", "--servers", "1", "--set",
        "heartbeat_interval_ms=100", "--set", "node_timeout_ms=2000", "--set",
        "startup_timeout_ms=20000",
      ])
    // A documentation address, which no machine has.
    let server = try RunningCommand(
      folder, ["server", "--coordinator", address, "--advertise", "192.0.2.1"])
    let worker = try RunningCommand(folder, ["worker", "--coordinator", address])
    for process in [coordinator, server, worker] {
      #expect(try process.wait() == 138, "\(process.errors)")
      #expect(
        process.errors.firstMatch(of: /cannot reach server 0 at tcp:\/\/192\.0\.2\.1:\d+/) != nil,
        "\(process.errors)")
    }
  }

  @Test(
    "a coordinator's host without an address is named at once", arguments: ["worker", "server"])
  func unknownHost(role: String) throws {
    let folder = try TemporaryFolder()
    // A reserved name without an address.
    let address = "tcp://nowhere.invalid:7000"
    let node = try RunningCommand(folder, [role, "--coordinator", address])
    // A name service may take long to answer.
    for sentence in [
      "looking for the coordinator at \(address)", "Cannot find the host 'nowhere.invalid'",
    ] {
      try Wait.until("it says: \(sentence)") { node.errors.contains(sentence) }
    }
    #expect(node.isRunning, "\(node.errors)")
  }

  @Test("an invalid server address is refused by the process that has the option")
  func senselessAddress() throws {
    let folder = try TemporaryFolder()
    let server = try Command(
      "server", "--coordinator", "ipc://\(folder.path)/c.sock", "--advertise", "my host")
    #expect(server.status == 64)
    #expect(server.errors.contains("--advertise HOST"), "\(server.errors)")
    #expect(server.errors.contains("'my host' is not a host"), "\(server.errors)")
  }

  @Test("an address that the network refuses: the worker leaves, and the others report the reason")
  func unusableAddress() throws {
    let folder = try TemporaryFolder()
    let address = "ipc://\(folder.path)/c.sock"
    let coordinator = try RunningCommand(
      folder,
      [
        "coordinator", "--listen", address, "--data", try folder.generateData(), "--run",
        "\(folder.path)/run", "--workers", "1", "--servers", "2",
      ])
    let servers = try ["node+1", "127.0.0.1"].map {
      try RunningCommand(folder, ["server", "--coordinator", address, "--advertise", $0])
    }
    let worker = try Command("worker", "--coordinator", address)
    #expect(worker.status == 69, "\(worker.errors)")
    let sentence = try #require(
      worker.errors.firstMatch(of: /Cannot connect to server (\d): .*tcp:\/\/node\+1:\d+/),
      "\(worker.errors)")
    try Wait.until("the coordinator reports it") {
      coordinator.errors.contains("it left: Cannot connect to server \(sentence.1)")
    }
    #expect(coordinator.isRunning && servers.allSatisfy(\.isRunning))
    coordinator.terminate()
    #expect(try coordinator.wait() == 143)
  }

  @Test("two coordinators at one address: the second is refused and changes no directory")
  func addressTaken() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let address = "tcp://127.0.0.1:\(try TestSocket.freePort())"
    func arguments(_ run: String) -> [String] {
      ["coordinator", "--listen", address, "--data", data, "--run", "\(folder.path)/\(run)"]
    }
    let first = try RunningCommand(folder, arguments("first"))
    try Wait.until("the first one is ready") { first.errors.contains("run directory") }
    let second = try Command(arguments: arguments("second"))
    #expect(second.status == 69)
    #expect(second.errors.contains(address), "\(second.errors)")
    #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/second"))
    let old = try Command(
      "train", "--single-process", "--data", data, "--epochs", "1", "--quiet", "--run",
      "\(folder.path)/old")
    #expect(old.status == 0)
    #expect(try Command(arguments: arguments("old") + ["--overwrite"]).status == 69)
    #expect(FileManager.default.fileExists(atPath: "\(folder.path)/old/best.json"))
    first.terminate()
    #expect(try first.wait() == 143)
  }

  @Test("two runs in one directory: the second is refused with the id of the first process")
  func directoryTaken() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let run = ["--data", data, "--run", "\(folder.path)/run"]
    let first = try RunningCommand(folder, ["train", "--single-process"] + run + Self.endless)
    try Wait.until("the first best model") {
      FileManager.default.fileExists(atPath: "\(folder.path)/run/best.json")
    }
    for command in [["train"], ["train", "--single-process"], ["coordinator"]] {
      let listen = command == ["coordinator"] ? ["--listen", "ipc://\(folder.path)/c.sock"] : []
      let second = try Command(arguments: command + listen + run + ["--overwrite"])
      #expect(second.status == 73, "\(command)")
      #expect(second.errors.contains("process \(first.processID) is using"), "\(second.errors)")
    }
    #expect(first.isRunning)
    first.terminate()
    #expect(try first.wait() == 143)
    #expect(try folder.object("run/summary.json")["outcome"] as? String == "interrupted")
  }

  // MARK: Disks

  @Test(
    "a folder that is not writable", .enabled(if: getuid() != 0, "the superuser may write"))
  func readOnlyFolder() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let locked = "\(folder.path)/locked"
    try FileManager.default.createDirectory(
      atPath: locked, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o555])
    let command = try Command("train", "--data", data, "--run", "\(locked)/run")
    #expect(command.status == 73)
    #expect(command.errors.contains("'\(locked)/run'") && command.errors.contains("may use"))
  }

  @Test("a place where not even root can create a folder")
  func impossibleFolder() throws {
    let folder = try TemporaryFolder()
    let command = try Command(
      "train", "--data", try folder.generateData(), "--run", "/proc/mrdib/run")
    #expect(command.status == 73)
    #expect(command.errors.contains("Cannot make the folder '/proc/mrdib"), "\(command.errors)")
  }

  @Test(
    "a file that cannot grow ends the run with the file's name; nothing counts as finished",
    arguments: [(8, "run.sqlite"), (130, "parameters.safetensors")])
  func fullDisk(kibibytes: Int, file: String) throws {
    let folder = try TemporaryFolder()
    let run = "\(folder.path)/run"
    let data = try folder.generateData()
    let command = try Command(
      fileLimit: kibibytes,
      arguments: [
        "train", "--single-process", "--data", data, "--quiet", "--epochs", "2", "--run", run,
      ])
    let text = command.errors
    #expect(command.status == 74, "\(text)")
    #expect(text.contains(run) && text.contains(file), "\(text)")
    #expect(!FileManager.default.fileExists(atPath: "\(run)/best.json"))
    let files = FileManager.default.enumerator(atPath: run)?.compactMap { $0 as? String } ?? []
    #expect(!files.contains { $0.contains(".partial") || $0.contains(".tmp") }, "\(files)")
  }

  @Test("a disk that is full in the middle of a run: the summary has the reason, the model stays")
  func diskFills() throws {
    let folder = try TemporaryFolder()
    let run = "\(folder.path)/run"
    let data = try folder.generateData()
    // The model and the summary are smaller; the store's log grows until it reaches the limit.
    let command = try Command(
      fileLimit: 1024,
      arguments: ["train", "--single-process", "--data", data, "--quiet", "--run", run]
        + Self.endless)
    #expect(command.status == 74, "\(command.errors)")
    let summary = try folder.object("run/summary.json")
    #expect(summary["outcome"] as? String == "failed")
    #expect(try #require(summary["message"] as? String).contains("run.sqlite"))
    #expect(try Command("recommend", "--run", run, "--user", "1", "--top", "3").status == 0)
  }

  // MARK: Unknown peers

  @Test("garbage at the servers' ports changes nothing")
  func garbage() throws {
    let folder = try TemporaryFolder()
    let run = "\(folder.path)/run"
    let train = try RunningCommand(
      folder,
      [
        "train", "--data", try folder.generateData(), "--run", run, "--servers", "2", "--epochs",
        "200", "--set", "train_batch_size=512", "--set", "stopping_step=200",
      ])
    try Wait.until("the first best model") {
      FileManager.default.fileExists(atPath: "\(run)/best.json")
    }
    let ports = try (0..<2).map { server in
      let log = String(decoding: try folder.bytes("run/logs/server-\(server).log"), as: UTF8.self)
      let match = try #require(log.firstMatch(of: /listening at tcp:\/\/127\.0\.0\.1:(\d+)/))
      return try #require(UInt16(match.1))
    }
    let greeting: [UInt8] = [0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 3]
    let samples: [[UInt8]] = [
      Array("GET / HTTP/1.1\r\nHost: server\r\n\r\n".utf8), [], [UInt8](repeating: 0xFF, count: 9),
      greeting + [UInt8](repeating: 0x41, count: 100_000),
      (0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ 13) },
    ]
    for port in ports {
      for sample in samples { try TestSocket.send(sample, to: port) }
    }
    #expect(try train.wait() == 0, "\(train.errors)")
    #expect(try folder.object("run/summary.json")["epochs_run"] as? Int == 200)
  }
}
