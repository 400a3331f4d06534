import Checkpoints
import Foundation
import TestSupport
import Testing

@Suite("Full and missing disks")
struct FailingDiskTests {
  /// A store with a checkpoint at version 2, and servers at version 4.
  private static func begin() throws -> (TemporaryFolder, CheckpointManifest, TrainedServers) {
    let folder = try TemporaryFolder()
    var servers = try TrainedServers()
    servers.train(to: 2)
    let manifest = try servers.save(in: folder.path)
    servers.train(to: 4)
    return (folder, manifest, servers)
  }

  @Test("a full disk is reported; no file is left under the name, the last checkpoint is kept")
  func fullDisk() throws {
    let (folder, manifest, servers) = try Self.begin()
    let name = "v0000000004-g1/server-1-of-2.safetensors"
    try folder.makeFolder("v0000000004-g1")
    let sealed = try FullDiskFile()
    try FileManager.default.createSymbolicLink(
      atPath: "\(folder.path)/\(name).partial", withDestinationPath: sealed.path)
    let error = #expect(throws: CheckpointError.self) { try servers.save(in: folder.path) }
    #expect(error?.code == .inputOutput)
    #expect(error?.message.contains(name) == true, "\(error?.message ?? "")")
    let full = CheckpointError.system("write 'a'", errno: ENOSPC).message
    #expect(full.contains("No space left") && full.contains("free some space"))
    #expect(try folder.names("v0000000004-g1") == ["server-0-of-2.safetensors"])
    let latest = try CheckpointStore(folder: folder.path).latestUsable(runID: "run")
    #expect(latest.manifest == manifest && latest.problems == [])
    // With space again, the same version is written.
    #expect(try servers.save(in: folder.path).version == 4)
  }

  @Test("a missing parent folder is not created")
  func parentIsGone() throws {
    let (folder, _, servers) = try Self.begin()
    let gone = "\(folder.path)/moved-away"
    let error = #expect(throws: CheckpointError.self) {
      try servers.save(in: "\(gone)/checkpoints")
    }
    #expect(error?.message.contains("'\(gone)/checkpoints'") == true, "\(error?.message ?? "")")
    #expect(!FileManager.default.fileExists(atPath: gone))
  }

  @Test("a file in place of the folder is reported with the path")
  func inTheWay() throws {
    let (folder, manifest, servers) = try Self.begin()
    try folder.write([1], to: "v0000000004-g1")
    let error = #expect(throws: CheckpointError.self) { try servers.save(in: folder.path) }
    #expect(error?.code == .cannotCreate)
    #expect(error?.message.contains("\(folder.path)/v0000000004-g1") == true)
    let missing = #expect(throws: CheckpointError.self) {
      try servers.save(in: "/proc/nothing/here")
    }
    #expect(missing?.code == .cannotCreate && missing?.message.contains("/proc/nothing") == true)
    let latest = try CheckpointStore(folder: folder.path).latestUsable(runID: "run")
    #expect(latest.manifest == manifest)
  }

  @Test("a manifest that cannot be written leaves no checkpoint and no temporary file")
  func manifest() throws {
    let (folder, manifest, servers) = try Self.begin()
    try folder.makeFolder("v0000000004-g1/manifest.json")
    #expect(throws: CheckpointError.self) { try servers.save(in: folder.path) }
    #expect(
      try folder.names("v0000000004-g1") == [
        "manifest.json", "server-0-of-2.safetensors", "server-1-of-2.safetensors",
      ])
    let latest = try CheckpointStore(folder: folder.path).latestUsable(runID: "run")
    #expect(latest.manifest == manifest)
  }
}
