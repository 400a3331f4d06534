import Checkpoints
import Foundation
import ParameterServer
import Protocol
import TestSupport
import Testing

/// Files with changed bytes are refused or do no harm.
@Suite("Mutated files")
struct MutatedFileTests {
  private static let rounds = 400

  /// Changes some bytes, or cuts, or repeats a part.
  private static func mutate(_ bytes: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
    var result = bytes
    switch Int.random(in: 0..<6, using: &random) {
    case 0:
      result.removeLast(Int.random(in: 1...result.count, using: &random))
    case 1:
      let start = Int.random(in: 0..<result.count, using: &random)
      let end = min(result.count, start + Int.random(in: 1...64, using: &random))
      let place = Int.random(in: 0...result.count, using: &random)
      result.insert(contentsOf: Array(result[start..<end]), at: place)
    case 2:
      // In the header.
      let index = Int.random(in: 0..<min(result.count, 600), using: &random)
      result[index] = UInt8.random(in: 0...255, using: &random)
    case 3:
      // Digits into other digits: lengths, offsets, versions.
      let digits = result.indices.prefix(4_000).filter { (48...57).contains(result[$0]) }
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        guard let index = digits.randomElement(using: &random) else { continue }
        result[index] = UInt8.random(in: 48...57, using: &random)
      }
    default:
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        let index = Int.random(in: 0..<result.count, using: &random)
        result[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      }
    }
    return result
  }

  @Test("a changed manifest is read with its original content, or refused with its path")
  func manifest() throws {
    let folder = try TemporaryFolder()
    var servers = try TrainedServers()
    servers.train(to: 3)
    let manifest = try servers.save(in: folder.path)
    let path = "\(folder.path)/\(manifest.name.manifest)"
    let bytes = try folder.read(manifest.name.manifest)
    var random = SeededGenerator(seed: 1)
    for _ in 0..<Self.rounds {
      try folder.write(Self.mutate(bytes, &random), to: manifest.name.manifest)
      do throws(CheckpointError) {
        let read = try CheckpointManifest.read(
          manifest.name.manifest, in: folder.checkpoints.storage)
        #expect(read == manifest, "only what is between the values may differ")
      } catch {
        #expect(error.message.contains(path))
      }
    }
  }

  @Test("a changed file of rows returns the original rows, or is refused with its path")
  func shard() throws {
    let folder = try TemporaryFolder()
    var servers = try TrainedServers(servers: 1)
    servers.train(to: 3)
    let bits = try servers.bits()
    let manifest = try servers.save(in: folder.path)
    let path = manifest.path(ofRank: 0)
    let bytes = try folder.read(path)
    var random = SeededGenerator(seed: 2)
    for _ in 0..<Self.rounds {
      let mutated = Self.mutate(bytes, &random)
      try folder.write(mutated, to: path)
      do {
        let reader = try CheckpointReader(manifest, in: folder.checkpoints)
        var restored = try TrainedServers(servers: 2, generation: 2, restoring: reader)
        let isUnchanged = mutated == bytes
        #expect(isUnchanged)
        #expect(try restored.bits() == bits)
      } catch let error as CheckpointError {
        #expect(error.message.contains(path))
      } catch {
        Issue.record("\(error)")
      }
    }
  }

  @Test("a changed file with a matching digest does no harm either")
  func forgedShard() throws {
    let folder = try TemporaryFolder()
    var servers = try TrainedServers(servers: 1)
    servers.train(to: 3)
    let manifest = try servers.save(in: folder.path)
    let bytes = try folder.read(manifest.path(ofRank: 0))
    var random = SeededGenerator(seed: 3)
    var count = 0
    for _ in 0..<Self.rounds {
      let mutated = Self.mutate(bytes, &random)
      try folder.write(mutated, to: manifest.path(ofRank: 0))
      do {
        let forged = try CheckpointManifest(
          runID: "run", schedule: TrainedServers.schedule,
          tables: servers.specs.map(TableDescription.init),
          optimizer: servers.kind.description,
          shards: [
            CheckpointShard(
              generation: 1, version: 3, rank: 0, file: manifest.path(ofRank: 0),
              byteCount: UInt64(mutated.count),
              digest: try FileContent(of: "\(folder.path)/\(manifest.path(ofRank: 0))").digest)
          ], configuration: "", configurationDigest: "c0ffee", dataDigest: "da7a", created: "")
        let store = CheckpointStore(folder: folder.path)
        try store.commit(forged)
        #expect(try store.list().first?.manifest == forged)
        let reader = try CheckpointReader(forged, in: folder.checkpoints)
        var restored = try TrainedServers(servers: 2, generation: 2, restoring: reader)
        _ = try restored.bits()
        let view = try CheckpointView(
          forged, in: folder.checkpoints, optimizer: TrainedServers.optimizer(servers.kind))
        _ = try view.difference(from: view)
        count += 1
      } catch is CheckpointError {
      } catch is ParameterServerError {
      }
    }
    #expect(count > 0, "some changes are in the values alone")
  }
}
