import Checkpoints
import Files
import Foundation
import ObjectStorage
import ParameterServer
import Protocol
import TestSupport
import Testing

@Suite("Rows that are released while a checkpoint is written")
struct ReleasedRowsTests {
  /// Where states are kept while weights are written.
  enum Place: CaseIterable { case memory, file, table }

  @Test(
    "wherever states are put aside, a file has the rows of its version, and training continues",
    arguments: Place.allCases)
  func sameBytes(place: Place) throws {
    let folder = try TemporaryFolder()
    var servers = try TrainedServers(TrainedServers.large)
    servers.train(to: 3)
    let snapshots = try servers.servers.map { try #require($0.snapshot()) }
    let expected = try servers.save(in: folder.path)
    // Changes rows of which snapshots have a part.
    servers.train(to: 5)
    let (store, objects) = try self.store(place, other: TemporaryFolder())
    let writer = CheckpointShardWriter(
      store, configurationDigest: "c0ffee", mostBytesInMemory: place == .memory ? 32 << 20 : 0)
    for (rank, snapshot) in snapshots.enumerated() {
      let shard = try writer.write(snapshot)
      #expect(shard.digest == expected.shards[rank].digest)
    }
    withExtendedLifetime(objects) {}
    servers.train(to: 7)
    var undisturbed = try TrainedServers(TrainedServers.large)
    undisturbed.train(to: 7)
    #expect(try servers.bits() == undisturbed.bits())
  }

  @Test("what is put aside has no name, so that nothing is left of a server that is killed")
  func leavesNothing() throws {
    let folder = try TemporaryFolder()
    var servers = try TrainedServers(TrainedServers.large, servers: 1)
    servers.train(to: 1)
    let path = folder.path
    let writer = CheckpointShardWriter(
      folder.checkpoints, configurationDigest: "c0ffee", mostBytesInMemory: 0,
      isWanted: {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? ["none"]
        return names.allSatisfy { $0.hasPrefix("v") }
      })
    _ = try writer.write(try #require(servers.servers[0].snapshot()))
    #expect(try folder.names().count == 1)
  }

  private func store(
    _ place: Place, other: TemporaryFolder
  ) throws -> (CheckpointStore, owner: Any) {
    guard place == .table else { return (other.checkpoints, other) }
    let objects = try MemoryObjectStore(bucket: "runs")
    let bucket = S3Bucket("runs", environment: objects.environment)
    return (
      CheckpointStore(BucketStorage(try #require(S3Location("s3://runs/run")), bucket)), objects
    )
  }
}
