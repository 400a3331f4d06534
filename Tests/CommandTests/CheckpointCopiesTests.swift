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

    init(_ folder: TemporaryFolder, data: String) throws {
      self.folder = folder
      self.data = data
      let manager = FileManager.default
      for disk in ["coordinator", "disk-0", "disk-1"] {
        try manager.createDirectory(
          atPath: "\(folder.path)/\(disk)", withIntermediateDirectories: true)
      }
      let address = "ipc://\(folder.path)/c.sock"
      try start(
        [
          "coordinator", "--listen", address, "--data", data, "--run", "\(folder.path)/run",
          "--workers", "1", "--servers", "2", "--set",
          "checkpoint_folder=\(folder.path)/coordinator",
        ] + CheckpointCopiesTests.training)
      for server in 0..<2 {
        try start([
          "server", "--coordinator", address, "--checkpoint-folder",
          "\(folder.path)/disk-\(server)",
        ])
      }
      try start(["worker", "--coordinator", address])
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

  @Test("all processes are killed and one disk is lost: the run resumes, with the same bits")
  func lostDisk() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let alone = try Command(
      arguments: [
        "train", "--data", data, "--run", folder.path("alone"), "--single-process", "--quiet",
      ] + Self.training.dropLast(2))
    #expect(alone.status == 0, "\(alone.errors)")

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
