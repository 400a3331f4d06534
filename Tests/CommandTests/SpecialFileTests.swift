import Foundation
import TestSupport
import Testing

/// Named pipes in the place of files: no command waits for the other end.
@Suite struct SpecialFileTests {
  private func replace(_ path: String) throws {
    try? FileManager.default.removeItem(atPath: path)
    try #require(mkfifo(path, 0o600) == 0)
  }

  /// - Parameter status: nil: any code of failure.
  private func expectRefusal(
    _ arguments: [String], of path: String, status: Int32? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let command = try Command(arguments: arguments)
    if let status {
      #expect(command.status == status, "\(arguments)", sourceLocation: sourceLocation)
    }
    // 9 means that the command waited until it was killed.
    #expect(![0, 9].contains(command.status), "\(arguments)", sourceLocation: sourceLocation)
    let name = path.split(separator: "/").last.map(String.init) ?? path
    #expect(
      command.errors.contains(name) && command.errors.contains("it is a named pipe"),
      "\(arguments): \(command.errors)", sourceLocation: sourceLocation)
  }

  @Test(
    "data: interactions, features, description",
    arguments: ["synthetic.inter", "image_feat.npy", "dataset.yaml"])
  func data(_ file: String) throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    try replace("\(data)/\(file)")
    try expectRefusal(["data", "validate", data], of: file, status: 65)
    try expectRefusal(
      ["train", "--data", data, "--run", folder.path("run")], of: file, status: 66)
    #expect(try folder.files == ["data"])
  }

  @Test("settings and grids")
  func settings() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("mine.yaml")
    try replace(path)
    for command in ["train", "sweep", "ablate", "coordinator"] {
      try expectRefusal([command, "--config", path], of: path, status: 78)
    }
    try expectRefusal(["config", "show", "--config", path], of: path, status: 78)
  }

  @Test("keys, in every role", arguments: ["node.secret", "cluster.public"])
  func keys(_ file: String) throws {
    let folder = try TemporaryFolder()
    let keys = folder.path("keys")
    #expect(try Command("keys", "new", keys).status == 0)
    try replace("\(keys)/\(file)")
    for role in ["train", "coordinator", "server", "worker"] {
      try expectRefusal([role, "--keys", keys], of: file, status: 66)
    }
    try expectRefusal(["keys", "show", keys], of: file, status: 66)
  }

  @Test("files of a finished run")
  func records() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let run = folder.path("run")
    let train = ["train", "--data", data, "--run", run, "--epochs", "1", "--quiet"]
    #expect(try Command(arguments: train + ["--single-process"]).status == 0)
    let best = try #require(try folder.object("run/best.json")["folder"] as? String)
    let checkpoints = try FileManager.default.contentsOfDirectory(atPath: "\(run)/checkpoints")
    let checkpoint = "checkpoints/\(try #require(checkpoints.first))"
    let shard = try #require(
      try FileManager.default.contentsOfDirectory(atPath: "\(run)/\(checkpoint)")
        .first { $0.hasSuffix(".safetensors") })
    let recommend = ["recommend", "--run", run, "--user", "1"]
    let export = ["export", "--run", run, "--out", folder.path("out")]
    let verify = ["checkpoint", "verify", run]
    let uses: [(String, [[String]])] = [
      ("best.json", [recommend, export]),
      ("\(best)/item.npy", [recommend, export]),
      ("config.resolved.yaml", [recommend, verify]),
      ("summary.json", [["compare", run, run]]),
      ("\(checkpoint)/manifest.json", [["checkpoint", "list", "\(run)/\(checkpoint)"]]),
      ("\(checkpoint)/\(shard)", [["checkpoint", "export", run, "--out", folder.path("out")]]),
      ("run.sqlite", [train]), ("run.sqlite-wal", [train]), ("lock", [train]),
    ]
    for (file, commands) in uses {
      let path = "\(run)/\(file)"
      let kept = folder.path("kept")
      let isThere = rename(path, kept) == 0
      try replace(path)
      for command in commands {
        if command[1] == "list" {
          // A line of its table says so; the command does not fail.
          let listed = try Command(arguments: command)
          #expect(listed.output.contains("it is a named pipe"), "\(listed.output)")
        } else {
          try expectRefusal(command, of: file)
        }
      }
      unlink(path)
      if isThere { try #require(rename(kept, path) == 0) }
    }
    #expect(try Command(arguments: train).status == 0)
  }

  @Test(
    "files that a run writes: logs and metrics", arguments: ["logs/server-0.log", "metrics.jsonl"])
  func written(_ file: String) throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    try FileManager.default.createDirectory(
      atPath: folder.path("run/logs"), withIntermediateDirectories: true)
    let path = folder.path("run/\(file)")
    try replace(path)
    let isLog = file.hasPrefix("logs")
    let command = try Command(
      arguments: ["train", "--data", data, "--run", folder.path("run"), "--epochs", "1", "--quiet"]
        + (isLog ? [] : ["--single-process"]))
    // A log of an earlier run is replaced, and metrics belong to a run.
    #expect(command.status == 73, "\(command.errors)")
    #expect(command.errors.contains(file), "\(command.errors)")
  }

  @Test("a pipe among the allowed keys of a running cluster")
  func laterKey() throws {
    let folder = try TemporaryFolder()
    let keys = folder.path("keys")
    #expect(try Command("keys", "new", keys).status == 0)
    let file = folder.path("address")
    let coordinator = try RunningCommand(
      folder,
      [
        "coordinator", "--listen", "tcp://127.0.0.1:*", "--endpoint-file", file, "--data",
        try folder.generateData(), "--run", folder.path("run"), "--workers", "1", "--servers", "1",
        "--epochs", "1", "--keys", keys,
      ])
    try Wait.until("it listens") {
      FileManager.default.fileExists(atPath: file) || !coordinator.isRunning
    }
    let address = try folder.text("address").trimmingCharacters(in: .newlines)
    let server = try RunningCommand(folder, ["server", "--coordinator", address, "--keys", keys])
    try Wait.until("the server listens") {
      server.errors.contains("listening at") || !server.isRunning
    }
    try replace("\(keys)/allowed/late.public")
    // The folder is read again when a peer connects, but at most once a second.
    Thread.sleep(forTimeInterval: 1.2)
    let worker = try RunningCommand(folder, ["worker", "--coordinator", address, "--keys", keys])
    #expect(try coordinator.wait() == 0, "\(coordinator.errors)")
    #expect(try worker.wait() == 0, "\(worker.errors)")
    #expect(try server.wait() == 0, "\(server.errors)")
    #expect((coordinator.errors + server.errors).contains("late.public': it is a named pipe"))
  }
}
