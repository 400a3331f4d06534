import Foundation
import TestSupport
import Testing

/// Checkpoints on two servers' own disks, with real processes and sockets.
@Suite(.serialized) struct CheckpointCopiesTests {
  private static let training = [
    "--epochs", "12", "--shards", "3", "--set", "train_batch_size=512", "--set",
    "stopping_step=100", "--set", "checkpoint_steps=1", "--set", "checkpoint_copies=2",
  ]

  /// The roles of a run whose servers have a folder each.
  private struct Cluster {
    let folder: TemporaryFolder
    let data: String
    var processes: [RunningCommand] = []

    init(_ folder: TemporaryFolder, data: String, options: [String] = []) throws {
      self.folder = folder
      self.data = data
      let manager = FileManager.default
      for disk in ["coordinator", "disk-0", "disk-1"] {
        try manager.createDirectory(
          atPath: "\(folder.path)/\(disk)", withIntermediateDirectories: true)
      }
      try startCoordinator(options)
      for server in 0..<2 {
        try start([
          "server", "--coordinator", address, "--checkpoint-folder",
          "\(folder.path)/disk-\(server)",
        ])
      }
      try start(["worker", "--coordinator", address])
    }

    private var address: String { "ipc://\(folder.path)/c.sock" }

    mutating func startCoordinator(_ options: [String]) throws {
      try start(
        [
          "coordinator", "--listen", address, "--data", data, "--run", "\(folder.path)/run",
          "--workers", "1", "--servers", "2", "--set",
          "checkpoint_folder=\(folder.path)/coordinator",
        ] + CheckpointCopiesTests.training + options)
    }

    /// Kills the coordinator and removes what is on its disk.
    mutating func loseCoordinator() throws {
      processes[0].killWithChildren()
      _ = try? processes[0].wait()
      processes.removeFirst()
      for path in ["run", "coordinator"] {
        try FileManager.default.removeItem(atPath: "\(folder.path)/\(path)")
      }
      try FileManager.default.createDirectory(
        atPath: "\(folder.path)/coordinator", withIntermediateDirectories: true)
    }

    private mutating func start(_ arguments: [String]) throws {
      processes.append(try RunningCommand(folder, arguments))
    }

    var errors: String { processes.map(\.errors).joined(separator: "\n") }
  }

  /// Files below a folder, relative to the folder of their run.
  private func files(_ disk: String, in folder: TemporaryFolder) -> [String] {
    let run = (try? FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/\(disk)"))?
      .first
    return
      (FileManager.default.enumerator(atPath: "\(folder.path)/\(disk)/\(run ?? "")")?
      .compactMap { $0 as? String } ?? []).filter { $0.contains("/") }
  }

  /// Trains the run in one process, without copies.
  private func trainAlone(_ folder: TemporaryFolder, _ data: String) throws {
    let alone = try Command(
      arguments: [
        "train", "--data", data, "--run", folder.path("alone"), "--single-process", "--quiet",
      ] + Self.training.dropLast(2))
    #expect(alone.status == 0, "\(alone.errors)")
  }

  /// Whether a server's disk has a copy of records that have a best model.
  private func hasModelCopy(_ disk: String, in folder: TemporaryFolder) -> Bool {
    let found = files(disk, in: folder)
    return found.contains { file in
      file.hasSuffix("/records.json")
        && found.count { $0.hasPrefix(file.dropLast(12)) && $0.hasSuffix(".copy") } == 4
    }
  }

  @Test("the coordinator's disk is lost: its records come back from a server, with the same bits")
  func lostCoordinator() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    try trainAlone(folder, data)
    var cluster = try Cluster(folder, data: data)
    defer { for process in cluster.processes { process.killWithChildren() } }
    try Wait.until("a copy of records with a model, \(cluster.errors)") {
      ["disk-0", "disk-1"].contains { hasModelCopy($0, in: folder) }
    }
    try cluster.loseCoordinator()
    // The same command does not begin another run.
    try cluster.startCoordinator([])
    let refused = cluster.processes.removeLast()
    #expect(try refused.wait() == 78, "\(refused.errors)")
    #expect(refused.errors.contains("Resume it with --resume servers"), "\(refused.errors)")

    try cluster.startCoordinator(["--resume", "servers"])
    for process in cluster.processes { #expect(try process.wait() == 0, "\(cluster.errors)") }
    #expect(cluster.errors.contains("with the records that servers hold"), "\(cluster.errors)")
    #expect(cluster.errors.contains("the run resumes in epoch"), "\(cluster.errors)")
    #expect(try folder.exportedBytes("run") == folder.exportedBytes("alone"))
    // Nothing keeps the next run with these settings from beginning.
    for disk in ["disk-0", "disk-1"] {
      let run = try #require(
        try FileManager.default.contentsOfDirectory(atPath: folder.path(disk)).first)
      #expect(FileManager.default.fileExists(atPath: folder.path("\(disk)/\(run)/over")))
    }
  }

  @Test("both copies of a file are lost: the run resumes from the older checkpoint, same bits")
  func olderCheckpoint() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    try trainAlone(folder, data)
    func checkpoints(_ disk: String) -> Set<String> {
      Set(
        files(disk, in: folder).filter { $0.hasSuffix("/manifest.json") }
          .map { String($0.dropLast(14)) })
    }
    let first = try Cluster(folder, data: data)
    defer { for process in first.processes { process.killWithChildren() } }
    try Wait.until("two checkpoints on both disks, \(first.errors)") {
      checkpoints("disk-0").intersection(checkpoints("disk-1")).count > 1
    }
    for process in first.processes { process.killWithChildren() }
    for process in first.processes { _ = try? process.wait() }
    // The coordinator may have one that no server has a manifest of.
    let newest = try #require(checkpoints("coordinator").max())
    let older = try #require(checkpoints("coordinator").subtracting([newest]).max())
    for disk in ["disk-0", "disk-1"] {
      let run = try #require(
        try FileManager.default.contentsOfDirectory(atPath: folder.path(disk)).first)
      try Data("damaged".utf8).write(
        to: URL(
          fileURLWithPath: folder.path("\(disk)/\(run)/\(newest)/server-1-of-2.safetensors")))
    }
    let second = try Cluster(
      folder, data: data,
      options: ["--set", "node_timeout_ms=1500", "--set", "heartbeat_interval_ms=100"])
    defer { for process in second.processes { process.killWithChildren() } }
    for process in second.processes { #expect(try process.wait() == 0, "\(second.errors)") }
    #expect(
      second.errors.contains(
        "warning: no server has an undamaged file with the rows of server 1 of the newest "
          + "checkpoint '\(newest)/manifest.json'; the run resumes from the older "
          + "'\(older)/manifest.json'"), "\(second.errors)")
    #expect(try folder.exportedBytes("run") == folder.exportedBytes("alone"))
  }

  @Test("after a loss all files of the newest checkpoint are copied again at once")
  func copiedAgain() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let first = try Cluster(folder, data: data)
    defer { for process in first.processes { process.killWithChildren() } }
    try Wait.until("a copy of records with a model, \(first.errors)") {
      ["disk-0", "disk-1"].contains { hasModelCopy($0, in: folder) }
    }
    for process in first.processes { process.killWithChildren() }
    for process in first.processes { _ = try? process.wait() }
    let keeper = hasModelCopy("disk-0", in: folder) ? "disk-0" : "disk-1"
    try FileManager.default.removeItem(atPath: folder.path(keeper))

    // No checkpoint is due any more.
    let second = try Cluster(folder, data: data, options: ["--set", "checkpoint_steps=100000"])
    defer { for process in second.processes { process.killWithChildren() } }
    try Wait.until("both files and the records on the new disk, \(second.errors)") {
      let found = ["disk-0", "disk-1"].map { files($0, in: folder) }
      let restored = Set(found[0]).intersection(found[1]).filter { $0.hasSuffix("/manifest.json") }
        .map { $0.dropLast(14) }
      return restored.contains { name in
        found.allSatisfy { files in
          (0..<2).allSatisfy { files.contains("\(name)/server-\($0)-of-2.safetensors") }
        } && found.contains { $0.contains("\(name)/records.json") }
      }
    }
    for process in second.processes { #expect(try process.wait() == 0, "\(second.errors)") }
  }

  @Test("all processes are killed and one disk is lost: the run resumes, with the same bits")
  func lostDisk() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    try trainAlone(folder, data)
    let first = try Cluster(folder, data: data)
    defer { for process in first.processes { process.killWithChildren() } }
    try Wait.until("a checkpoint on both disks, \(first.errors)") {
      ["disk-0", "disk-1"].allSatisfy { disk in
        files(disk, in: folder).contains { $0.hasSuffix("manifest.json") }
      }
    }
    for process in first.processes { process.killWithChildren() }
    for process in first.processes { _ = try? process.wait() }
    // Both files of a checkpoint are on each disk, and no manifest is anywhere without them.
    for disk in ["disk-0", "disk-1"] {
      let found = Set(files(disk, in: folder))
      let checkpoints = found.filter { $0.hasSuffix("/manifest.json") }.map { $0.dropLast(14) }
      #expect(!checkpoints.isEmpty)
      for checkpoint in checkpoints {
        for rank in 0..<2 {
          #expect(found.contains("\(checkpoint)/server-\(rank)-of-2.safetensors"), "\(found)")
        }
      }
    }
    try FileManager.default.removeItem(atPath: folder.path("disk-1"))

    let second = try Cluster(folder, data: data)
    defer { for process in second.processes { process.killWithChildren() } }
    for process in second.processes { #expect(try process.wait() == 0, "\(second.errors)") }
    #expect(second.errors.contains("the run resumes in epoch"), "\(second.errors)")
    #expect(
      second.processes[1...2].contains { $0.errors.contains("fetched 'v") }, "\(second.errors)")
    #expect(try folder.exportedBytes("run") == folder.exportedBytes("alone"))
    // Old files are deleted: the checkpoints of `checkpoint_keep`, and at most those under way.
    #expect(files("disk-1", in: folder).count { $0.hasSuffix("/manifest.json") } == 2)
  }

  @Test(
    "settings with which no second copy is possible are refused",
    arguments: [
      (["--servers", "2"], "checkpoint_folder is empty"),
      (["--servers", "1", "--set", "checkpoint_folder=/tmp"], "there is one server"),
      (["--servers", "2", "--set", "checkpoint_folder=s3://my-bucket/p"], "is an object store"),
    ])
  func impossible(options: [String], problem: String) throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let command = try Command(
      arguments: ["train", "--data", data, "--run", folder.path("run")] + options
        + ["--set", "checkpoint_copies=2"])
    #expect(command.status == 78, "\(command.errors)")
    #expect(command.errors.contains(problem), "\(command.errors)")
  }
}
