import Foundation
import Glibc
import TestSupport
import Testing

/// Unknown peers and keys in a real cluster.
@Suite(.serialized) struct SecurityTests {
  private func parameters(_ folder: TemporaryFolder, _ run: String) throws -> Data {
    let best = try folder.object("\(run)/best.json")
    let model = try #require(best["folder"] as? String)
    return try folder.bytes("\(run)/\(model)/parameters.safetensors")
  }

  private func makeKeys(_ folder: TemporaryFolder, _ name: String) throws -> String {
    let path = "\(folder.path)/\(name)"
    let command = try Command("keys", "new", path)
    #expect(command.status == 0, "\(command.errors)")
    return path
  }

  private static let settings = [
    "--epochs", "2", "--shards", "2", "--set", "train_batch_size=512", "--quiet",
  ]

  @Test("a cluster with keys trains to the same bits as one process")
  func sameBits() throws {
    let folder = try TemporaryFolder()
    let common = ["train", "--data", try folder.generateData()] + Self.settings
    let keys = try makeKeys(folder, "keys")
    let alone = try Command(
      arguments: common + ["--single-process", "--run", "\(folder.path)/alone"])
    #expect(alone.status == 0, "\(alone.errors)")
    let cluster = try Command(
      arguments: common + ["--keys", keys, "--servers", "2", "--run", "\(folder.path)/cluster"])
    #expect(cluster.status == 0, "\(cluster.errors)")
    #expect(try parameters(folder, "cluster") == parameters(folder, "alone"))
  }

  @Test("only workers with an allowed key of this cluster join; the others exit with the reason")
  func foreignKeys() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let keys = try makeKeys(folder, "keys")
    let others = try makeKeys(folder, "others")
    // Has the cluster's key, but its own key is not allowed.
    let unknown = "\(folder.path)/unknown"
    #expect(try Command("keys", "add", keys, "unknown", "--out", unknown).status == 0)
    try FileManager.default.removeItem(atPath: "\(keys)/allowed/unknown.public")

    let port = try TestSocket.freePort()
    let address = "tcp://127.0.0.1:\(port)"
    let coordinator = try RunningCommand(
      folder,
      [
        "coordinator", "--listen", address, "--data", data, "--run", "\(folder.path)/run",
        "--workers", "1", "--servers", "1", "--keys", keys,
      ] + Self.settings)
    let server = try RunningCommand(folder, ["server", "--coordinator", address, "--keys", keys])
    try Wait.until("both listen") {
      coordinator.errors.contains("run directory") && server.errors.contains("listening at")
    }

    /// - Parameter seconds: all of which pass for one that cannot join.
    func join(_ options: [String], within seconds: Int = 8) throws -> Command {
      try Command(
        arguments: ["worker", "--coordinator", address, "--join-timeout", "\(seconds)"] + options)
    }
    // Many peers of one kind do not suppress the warning for another kind.
    for _ in 0..<10 { try TestSocket.send(Array("GET / HTTP/1.1\r\n\r\n".utf8), to: port) }
    let plain = try join([])
    #expect(plain.status != 0)
    #expect(plain.errors.contains("Cannot connect to \(address)"), "\(plain.errors)")
    #expect(plain.errors.contains("give --keys FOLDER"), "\(plain.errors)")
    let refused = try join(["--keys", unknown])
    #expect(refused.status == 78)
    #expect(refused.errors.contains("does not allow this process's key"), "\(refused.errors)")
    let astray = try join(["--keys", others])
    #expect(astray.status != 0)
    #expect(astray.errors.contains("its cluster key is not the one"), "\(astray.errors)")
    #expect(coordinator.isRunning && server.isRunning)
    #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/run/best.json"))
    for reason in ["is not in the folder 'allowed'", "expects another cluster's key"] {
      try Wait.until("the coordinator says: \(reason)") { coordinator.errors.contains(reason) }
    }

    let worker = try join(["--keys", keys], within: 100)
    #expect(worker.status == 0, "\(worker.errors)")
    #expect(try coordinator.wait() == 0, "\(coordinator.errors)")
    #expect(try server.wait() == 0)
    // A worker without a key, one of another cluster, repeatedly, and HTTP.
    let total = /in all: refused (\d+) connections with a key that is not allowed and (\d+) that/
    let match = try #require(coordinator.errors.firstMatch(of: total), "\(coordinator.errors)")
    #expect((Int(match.1) ?? 0) >= 1 && (Int(match.2) ?? 0) >= 12, "\(coordinator.errors)")
    let alone = try Command(
      arguments: [
        "train", "--data", data, "--single-process", "--run", "\(folder.path)/alone",
      ] + Self.settings)
    #expect(alone.status == 0)
    #expect(try parameters(folder, "run") == parameters(folder, "alone"))
  }

  @Test("silent connections and frames of 250 MiB end no run and change no bit")
  func crowd() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let keys = try makeKeys(folder, "keys")
    let settings = [
      "--epochs", "600", "--shards", "2", "--set", "train_batch_size=512", "--set",
      "stopping_step=600", "--quiet",
    ]
    let port = try TestSocket.freePort()
    let address = "tcp://127.0.0.1:\(port)"
    let fewDescriptors = "ulimit -n 128; exec \"$@\""
    let coordinator = try RunningCommand(
      folder, bash: fewDescriptors,
      [
        "coordinator", "--listen", address, "--data", data, "--run", "\(folder.path)/run",
        "--workers", "1", "--servers", "1", "--keys", keys,
      ] + settings)
    let server = try RunningCommand(
      folder, bash: fewDescriptors, ["server", "--coordinator", address, "--keys", keys])
    try Wait.until("the server listens") { server.errors.contains("listening at") }
    let listening = /listening at tcp:\/\/127.0.0.1:(\d+)/
    let match = try #require(server.errors.firstMatch(of: listening))
    let ports = [port, try #require(UInt16(match.1))]
    let worker = try RunningCommand(folder, ["worker", "--coordinator", address, "--keys", keys])
    try Wait.until("it trains") {
      FileManager.default.fileExists(atPath: "\(folder.path)/run/best.json")
    }
    let roles = [coordinator, server]
    let before = roles.map { ($0.descriptorCount, $0.residentKibibytes) }

    // Three times as many as the limit of descriptors, twice.
    for _ in 0..<2 {
      var held: [Int32] = []
      for _ in 0..<400 { held += try ports.compactMap { try TestSocket.hold(at: $0) } }
      for role in roles where role.isRunning { #expect(role.descriptorCount < 128) }
      for connection in held { close(connection) }
    }
    let greeting: [UInt8] =
      [0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 1] + Array("CURVE".utf8)
      + [UInt8](repeating: 0, count: 47)
    let frame: [UInt8] = [6, 0, 0, 0, 0, 0x0f, 0xa0, 0, 0] + [UInt8](repeating: 1, count: 64 << 20)
    for port in ports + ports {
      if let held = try TestSocket.hold(greeting + frame, at: port) { close(held) }
    }
    for (role, before) in zip(roles, before) where role.isRunning {
      #expect(role.residentKibibytes < before.1 + 50_000)
      try Wait.until("descriptors come back") {
        role.descriptorCount <= before.0 + 8 || !role.isRunning
      }
    }
    #expect(try coordinator.wait() == 0, "\(coordinator.errors)")
    #expect(try server.wait() == 0, "\(server.errors)")
    #expect(try worker.wait() == 0, "\(worker.errors)")
    for role in roles {
      let total = /closed before they were authenticated: \d+ to make room .* sent more than/
      #expect(role.errors.contains(total), "\(role.errors)")
    }
    let alone = try Command(
      arguments: [
        "train", "--data", data, "--single-process", "--run", "\(folder.path)/alone",
      ] + settings)
    #expect(alone.status == 0)
    #expect(try parameters(folder, "run") == parameters(folder, "alone"))
  }

  @Test("a key that is added or revoked while a cluster runs takes effect without a restart")
  func changedKeys() throws {
    let folder = try TemporaryFolder()
    let keys = try makeKeys(folder, "keys")
    let address = "tcp://127.0.0.1:\(try TestSocket.freePort())"
    let coordinator = try RunningCommand(
      folder,
      [
        "coordinator", "--listen", address, "--data", try folder.generateData(), "--run",
        "\(folder.path)/run", "--workers", "1", "--servers", "1", "--keys", keys,
      ] + Self.settings)
    let server = try RunningCommand(folder, ["server", "--coordinator", address, "--keys", keys])
    try Wait.until("the server listens") { server.errors.contains("listening at") }
    let (late, gone) = ("\(folder.path)/late", "\(folder.path)/gone")
    for path in [late, gone] {
      let name = String(path.suffix(4))
      #expect(try Command("keys", "add", keys, name, "--out", path).status == 0)
    }
    try FileManager.default.removeItem(atPath: "\(keys)/allowed/gone.public")
    func join(_ own: String, within seconds: Int) throws -> Command {
      try Command(
        "worker", "--coordinator", address, "--join-timeout", "\(seconds)", "--keys", own)
    }
    // The revoked key is rejected; an unreadable file allows no peer and changes nothing else.
    try Data("no key".utf8).write(to: URL(fileURLWithPath: "\(keys)/allowed/torn.public"))
    #expect(try join(gone, within: 8).status == 78)
    let worker = try join(late, within: 100)
    #expect(worker.status == 0, "\(worker.errors)")
    #expect(try coordinator.wait() == 0, "\(coordinator.errors)")
    #expect(try server.wait() == 0)
    #expect(coordinator.errors.contains("torn.public"))
  }

  @Test(
    "listening on a network needs keys or --insecure-network",
    arguments: [["coordinator"], ["server", "--advertise", "here"]])
  func networks(_ role: [String]) throws {
    let folder = try TemporaryFolder()
    let keys = try makeKeys(folder, "keys")
    let data = role[0] == "coordinator" ? ["--data", try folder.generateData()] : []
    let command = role + ["--listen", "tcp://0.0.0.0:*"] + data
    let refused = try Command(arguments: command)
    #expect(refused.status == 64)
    #expect(refused.errors.contains("--keys FOLDER"), "\(refused.errors)")
    #expect(refused.errors.contains("--insecure-network"), "\(refused.errors)")
    #expect(refused.errors.split(separator: "\n").count == 1, "\(refused.errors)")
    for (number, words) in [["--insecure-network"], ["--keys", keys]].enumerated() {
      let run =
        role[0] == "coordinator"
        ? ["--run", "\(folder.path)/run\(number)"]
        : ["--coordinator", "tcp://127.0.0.1:\(try TestSocket.freePort())"]
      let accepted = try RunningCommand(folder, command + words + run)
      try Wait.until("it listens") {
        accepted.errors.contains("run directory") || accepted.errors.contains("listening at")
      }
      accepted.terminate()
      _ = try accepted.wait()
    }
    let both = try Command(arguments: command + ["--insecure-network", "--keys", keys])
    #expect(both.status == 64 && both.errors.contains("exclude each other"))
  }

  @Test("a secret key that others can read is refused by every role at its start")
  func readable() throws {
    let folder = try TemporaryFolder()
    let keys = try makeKeys(folder, "keys")
    let secret = "\(keys)/node.secret"
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: secret)
    for role in [["train"], ["coordinator"], ["server"], ["worker"]] {
      let command = try Command(arguments: role + ["--keys", keys])
      #expect(command.status == 78, "\(role): \(command.errors)")
      #expect(command.errors.contains("Run 'chmod 600 \(secret)'"), "\(role): \(command.errors)")
    }
    #expect(try Command("keys", "show", keys).status == 78)
  }

  @Test("a cluster whose own key is not allowed is refused before it starts")
  func ownKeyNotAllowed() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let keys = try makeKeys(folder, "keys")
    let added = try Command("keys", "add", keys, "other", "--out", "\(folder.path)/other")
    #expect(added.status == 0, "\(added.errors)")
    try FileManager.default.removeItem(atPath: "\(keys)/allowed/node.public")
    let run = "\(folder.path)/run"
    let train = try Command(
      arguments: ["train", "--data", data, "--keys", keys, "--run", run] + Self.settings)
    #expect(train.status == 78, "\(train.errors)")
    #expect(train.errors.contains("this machine's own key"), "\(train.errors)")
    #expect(!FileManager.default.fileExists(atPath: "\(run)/config.resolved.yaml"))
  }
}
