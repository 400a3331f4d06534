import Checkpoints
import Foundation
import ParameterServer
import Protocol
import TestSupport
import Testing

@Suite("The store of checkpoints")
struct StoreTests {
  /// Checkpoints at versions 1, 2, … of one run.
  private static func store(
    _ folder: TemporaryFolder, versions: ClosedRange<UInt64>, generation: UInt64 = 1
  ) throws -> CheckpointStore {
    var servers = try TrainedServers(servers: 1, generation: generation)
    for version in versions {
      servers.train(to: version)
      try servers.save(in: folder.path)
    }
    return CheckpointStore(folder: folder.path)
  }

  private static func names(_ store: CheckpointStore) throws -> [String] {
    try store.list().map(\.name.folder)
  }

  @Test("every checkpoint has only one folder name")
  func names() {
    for (generation, version, folder) in [
      (2, 118, "v0000000118-g2"), (0, 0, "v0000000000-g0"),
      (.max, .max, "v18446744073709551615-g18446744073709551615"),
    ] as [(UInt64, UInt64, String)] {
      let name = CheckpointName(generation: generation, version: version)
      #expect(name.folder == folder && CheckpointName(folder: folder) == name)
    }
    for folder in [
      "", "v", "v1", "v1-g1", "v0000000001", "v0000000001-g", "v0000000001-g01",
      "v+000000001-g1", "v00000000001-g1", "v0000000001-g1 ", "v0000000001-g1.partial", "models",
      "v99999999999999999999-g1", "v0000000001-1",
    ] { #expect(CheckpointName(folder: folder) == nil, "\(folder)") }
  }

  @Test("a later generation is newer, whatever its version")
  func order() throws {
    let folder = try TemporaryFolder()
    _ = try Self.store(folder, versions: 3...4)
    let store = try Self.store(folder, versions: 2...2, generation: 2)
    #expect(try Self.names(store) == ["v0000000002-g2", "v0000000004-g1", "v0000000003-g1"])
    #expect(try store.latestUsable(runID: "run").manifest?.version == 2)
  }

  @Test("pruning keeps the newest and the given versions")
  func prune() throws {
    let folder = try TemporaryFolder()
    let store = try Self.store(folder, versions: 1...6)
    try folder.makeFolder("other")
    let deleted = try store.prune(keepLast: 2, keeping: [2])
    #expect(deleted.map(\.version) == [4, 3, 1])
    #expect(
      try folder.names() == [
        "v0000000006-g1", "v0000000005-g1", "v0000000002-g1", "other",
      ])
    #expect(try store.prune(keepLast: 0).map(\.version) == [5, 2], "one always stays")
    #expect(try store.latestUsable(runID: "run").manifest?.version == 6)
  }

  @Test("pruning deletes files that never became a checkpoint, but not those being written")
  func pruneUncommitted() throws {
    let folder = try TemporaryFolder()
    let store = try Self.store(folder, versions: 2...3)
    for name in ["v0000000001-g1", "v0000000004-g1", "v0000000001-g2"] {
      try folder.makeFolder(name)
      try folder.write([1], to: "\(name)/server-0-of-1.safetensors.partial")
    }
    #expect(try store.prune(keepLast: 5).map(\.folder) == ["v0000000001-g1"])
    #expect(try folder.names().count == 4)
  }

  @Test("unused files of servers are deleted; folders with a manifest are kept")
  func discard() throws {
    let folder = try TemporaryFolder()
    let store = CheckpointStore(folder: folder.path)
    var servers = try TrainedServers(servers: 2)
    servers.train(to: 1)
    let committed = try servers.save(in: folder.path)
    servers.train(to: 2)
    let uncommitted = try servers.save(in: folder.path, commits: false)
    let shards = { (version: UInt64, ranks: [UInt32]) in
      ranks.map {
        CheckpointShard(
          generation: 1, version: version, rank: $0, file: "../elsewhere", byteCount: 1, digest: "")
      }
    }
    try store.discard(shards(1, [0, 1]) + shards(2, [0]) + shards(7, [0]), serverCount: 2)
    #expect(store.verify(committed) == [])
    let name = uncommitted.name.folder
    #expect(try folder.names(name) == ["server-1-of-2.safetensors"])
    // Another server is still writing.
    try folder.write([1], to: "\(name)/server-0-of-2.safetensors.partial")
    try store.discard(shards(2, [1]), serverCount: 2)
    #expect(try folder.names(name) == ["server-0-of-2.safetensors.partial"])
    try folder.remove("\(name)/server-0-of-2.safetensors.partial")
    try store.discard(shards(2, [1]), serverCount: 2)
    #expect(try folder.names() == [committed.name.folder])
  }

  @Test("damaged manifests do not count among those that are kept")
  func pruneDamaged() throws {
    let folder = try TemporaryFolder()
    let store = try Self.store(folder, versions: 1...5)
    for version in [2, 5] { try folder.write([1], to: "v000000000\(version)-g1/manifest.json") }
    #expect(try store.prune(keepLast: 2).map(\.version) == [2, 1])
    #expect(
      try folder.names() == ["v0000000003-g1", "v0000000004-g1", "v0000000005-g1"])
  }

  @Test("nothing is deleted while there is no checkpoint")
  func pruneNothing() throws {
    let folder = try TemporaryFolder()
    try folder.makeFolder("v0000000001-g1")
    #expect(try CheckpointStore(folder: folder.path).prune(keepLast: 1) == [])
    #expect(try folder.names() == ["v0000000001-g1"])
  }

  @Test("files that the coordinator does not see, or with another size, are not committed")
  func commit() throws {
    let folder = try TemporaryFolder()
    var servers = try TrainedServers(servers: 2)
    servers.train(to: 1)
    let manifest = try servers.save(in: folder.path, commits: false)
    let elsewhere = CheckpointStore(folder: "\(folder.path)/elsewhere")
    let missing = #expect(throws: CheckpointError.self) { try elsewhere.commit(manifest) }
    #expect(missing?.code == .missing && missing?.message.contains("must share") == true)
    let store = CheckpointStore(folder: folder.path)
    var bytes = try folder.read(manifest.path(ofRank: 1))
    bytes.removeLast()
    try folder.write(bytes, to: manifest.path(ofRank: 1))
    #expect(throws: CheckpointError.self) { try store.commit(manifest) }
    #expect(try store.list().map(\.manifest) == [nil])
  }

  @Test("a manifest is made of one file of each server, of one version")
  func manifest() throws {
    let shard = { (rank: UInt32, version: UInt64, file: String) in
      CheckpointShard(
        generation: 1, version: version, rank: rank, file: file, byteCount: 8, digest: "0")
    }
    let first = shard(0, 5, "v0000000005-g1/server-0-of-2.safetensors")
    let second = shard(1, 5, "v0000000005-g1/server-1-of-2.safetensors")
    for shards in [
      [], [first], [first, first], [second], [first, second, second],
      [first, shard(1, 6, "v0000000005-g1/server-1-of-2.safetensors")],
      [first, shard(1, 5, "../server-1-of-2.safetensors")],
    ] {
      let error = #expect(throws: CheckpointError.self) {
        try CheckpointManifest(
          runID: "run", schedule: TrainedServers.schedule, tables: [],
          optimizer: SGD().description, shards: shards,
          configuration: "", configurationDigest: "", dataDigest: "", created: "")
      }
      #expect(error?.code == .mismatch)
    }
  }

  @Test("a manifest reads back as it was written")
  func roundTrip() throws {
    let folder = try TemporaryFolder()
    let servers = try TrainedServers(runID: "a \"quoted\"/ü run")
    let manifest = try servers.save(in: folder.path)
    #expect(manifest.tables.map(\.rule) == ["model", "discriminator", "average", "assigned"])
    let storage = CheckpointStore(folder: folder.path).storage
    #expect(try CheckpointManifest.read(manifest.name.manifest, in: storage) == manifest)
  }
}
