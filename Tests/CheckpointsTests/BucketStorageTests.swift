import Checkpoints
import Files
import ObjectStorage
import ParameterServer
import Protocol
import Tables
import TestSupport
import Testing

@Suite("Checkpoints in an object store")
struct BucketStorageTests {
  private let objects: MemoryObjectStore
  private let store: CheckpointStore

  init() throws {
    objects = try MemoryObjectStore(bucket: "runs")
    let bucket = S3Bucket(
      "runs", patience: .init(reading: 0.5, writing: 2), environment: objects.environment)
    store = CheckpointStore(
      BucketStorage(try #require(S3Location("s3://runs/team/run")), bucket))
  }

  @Test("training resumes on any number of servers with the bits of files")
  func resumes() throws {
    let folder = try TemporaryFolder()
    var undisturbed = try TrainedServers(TrainedServers.large, servers: 2)
    undisturbed.train(to: 3)
    let manifest = try undisturbed.save(in: store)
    let copy = try undisturbed.save(in: folder.path)
    for (rank, shard) in manifest.shards.enumerated() {
      let file = manifest.path(ofRank: rank)
      #expect(try objects["team/run/\(file)"] == folder.read(file))
      #expect(shard == copy.shards[rank])
    }
    undisturbed.train(to: 4)
    let bits = try undisturbed.bits()
    for others in [1, 3] {
      let reader = try CheckpointReader(manifest.restored, in: store, runID: "run")
      var restored = try TrainedServers(
        TrainedServers.large, servers: others, generation: 2, restoring: reader)
      restored.train(to: 4)
      #expect(try restored.bits() == bits)
    }
    let optimizer = TrainedServers.optimizer(undisturbed.kind)
    let view = try CheckpointView(manifest, in: store, optimizer: optimizer)
    let other = try CheckpointView(manifest, in: folder.checkpoints, optimizer: optimizer)
    #expect(try view.difference(from: other).allSatisfy(\.isEmpty))
  }

  @Test("files without a manifest are no checkpoint, and the one before is used")
  func uncommitted() throws {
    #expect(try store.latestUsable(runID: "run") == .init(hasNoCheckpoint: true))
    var servers = try TrainedServers()
    servers.train(to: 2)
    let older = try servers.save(in: store)
    servers.train(to: 4)
    let newer = try servers.save(in: store, commits: false)
    #expect(try store.latestUsable(runID: "run") == .init(manifest: older))
    #expect(try store.list().map(\.content) == [.uncommitted, .committed(older)])
    #expect(!store.hasManifest(newer.name) && store.hasManifest(older.name))
    try store.commit(newer)
    #expect(try store.latestUsable(runID: "run").manifest == newer)
  }

  @Test("a damaged or missing object is named, and the checkpoint before is used")
  func damaged() throws {
    var servers = try TrainedServers()
    servers.train(to: 2)
    let older = try servers.save(in: store)
    servers.train(to: 4)
    let newer = try servers.save(in: store)
    let key = "team/run/\(newer.path(ofRank: 1))"
    var bytes = try #require(objects[key])
    bytes[bytes.count - 1] ^= 1
    objects[key] = bytes
    let latest = try store.latestUsable(runID: "run")
    #expect(latest.manifest == older && latest.problems.count == 1)
    #expect(latest.problems[0].contains("'s3://runs/\(key)'"))
    #expect(latest.problems[0].contains("damaged"))
    #expect(throws: CheckpointError.self) {
      let reader = try CheckpointReader(newer.restored, in: store, runID: "run")
      _ = try TrainedServers(generation: 2, restoring: reader)
    }
    objects[key] = nil
    #expect(#expect(throws: CheckpointError.self) { try store.checkSizes(newer) }?.code == .missing)
    #expect(try store.latestUsable(runID: "run").manifest == older)
    objects["team/run/\(newer.name.manifest)"] = Array("{}".utf8)
    #expect(try store.latestUsable(runID: "run").problems[0].contains("not a manifest"))
  }

  @Test("old checkpoints and abandoned uploads are deleted, files that may become one are not")
  func pruned() throws {
    var servers = try TrainedServers()
    var manifests: [CheckpointManifest] = []
    for version: UInt64 in [1, 2, 3, 4] {
      servers.train(to: version)
      manifests.append(try servers.save(in: store))
    }
    servers.train(to: 5)
    let pending = try servers.save(in: store, commits: false)
    // Uploads of a process that was killed, for an old and for a new version.
    objects.inject { $0.method == "DELETE" ? .status(403, code: "AccessDenied") : nil }
    let bucket = S3Bucket("runs", environment: objects.environment)
    for name in [manifests[3].name, pending.name] {
      let upload = S3Upload(
        to: "team/run/\(name.folder)/x", byteCount: 20, in: bucket, partBytes: 8)
      try [UInt8](repeating: 1, count: 10).withUnsafeBytes { try upload.append($0) }
    }
    objects["team/run2/v0000000001-g1/x"] = [1]
    objects.inject { _ in nil }
    #expect(objects.uploadCount == 2)
    let deleted = try store.prune(keepLast: 2)
    #expect(deleted == [manifests[1].name, manifests[0].name] && objects.uploadCount == 1)
    #expect(try store.list().map(\.name) == [pending, manifests[3], manifests[2]].map(\.name))
    #expect(objects["team/run2/v0000000001-g1/x"] != nil)
    try store.discard(
      (0..<2).map { rank in
        CheckpointShard(
          generation: 1, version: 5, rank: rank, file: pending.path(ofRank: Int(rank)),
          byteCount: 1, digest: "")
      }, serverCount: 2)
    #expect(try store.list().map(\.name) == [manifests[3], manifests[2]].map(\.name))
  }

  @Test("a file that is not wanted any more is abandoned, and its parts are deleted")
  func unwanted() throws {
    let wide = TableSpec(name: "item", rows: 20_000, width: 64, initializer: .uniform(bound: 0.1))
    var servers = try TrainedServers([wide], servers: 1)
    servers.train(to: 1)
    let snapshot = try #require(servers.servers[0].snapshot())
    let objects = objects
    let writer = CheckpointShardWriter(
      store, configurationDigest: "c0ffee", isWanted: { objects.uploadCount == 0 })
    let error = #expect(throws: CheckpointError.self) { try writer.write(snapshot) }
    #expect(error?.message.contains("it is not wanted any more") == true)
    #expect(try objects.uploadCount == 0 && store.list().isEmpty)
  }

  @Test("a store that does not answer is not an empty one, and errors have sentences")
  func unavailable() throws {
    var servers = try TrainedServers()
    servers.train(to: 2)
    let manifest = try servers.save(in: store)
    objects.inject { _ in .status(503, code: "SlowDown") }
    for attempt in [
      { _ = try store.latestUsable(runID: "run") }, { try store.checkSizes(manifest) },
      { try store.commit(manifest) },
    ] {
      let found = try #require(throws: CheckpointError.self) { try attempt() }
      #expect(found.code == .inputOutput && found.message.contains("s3://runs/team/run"))
      #expect(found.message.contains("503"))
    }
    objects.inject { _ in .status(403, code: "AccessDenied") }
    #expect(
      #expect(throws: CheckpointError.self) { try store.prepare() }?.code == .cannotCreate)
    #expect(#expect(throws: CheckpointError.self) { try store.list() }?.code == .inputOutput)
    objects.inject { _ in .status(404, code: "NoSuchBucket") }
    #expect(#expect(throws: CheckpointError.self) { try store.list() }?.code == .missing)
    objects.inject { _ in nil }
    #expect(try store.latestUsable(runID: "run").manifest == manifest)
  }
}
