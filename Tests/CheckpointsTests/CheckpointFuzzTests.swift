import Checkpoints
import Files
import Foundation
import Tensors
import TestSupport
import Testing

/// Damaged files of checkpoints, any number of them with `scripts/fuzz`. ``MutatedFileTests``
/// tests fewer of them, but restores servers from them.
@Suite("Damaged files of checkpoints")
struct CheckpointFuzzTests {
  private static func verdict(_ body: () throws -> Void) throws -> FuzzedParser.Verdict {
    do {
      try body()
      return .accepted
    } catch let error as CheckpointError {
      return .refused(error.message)
    }
  }

  /// The bytes of a checkpoint's manifest and of a server's file.
  private static func checkpoint(servers: Int) throws -> (manifest: [UInt8], shard: [UInt8]) {
    let folder = try TemporaryFolder()
    var trained = try TrainedServers(servers: servers)
    trained.train(to: 3)
    let manifest = try trained.save(in: folder.path)
    return (
      try folder.read(manifest.name.manifest), try folder.read(manifest.path(ofRank: 0))
    )
  }

  /// Makes the digest of a manifest match its text again, so that the checks behind it are reached.
  private static let mendDigest = mendingDigest(after: "\n  \"digest\" : \"")

  private static func mendingDigest(after key: String) -> InputMutator.Change {
    let key = Array(key.utf8)
    return { bytes, _ in mendDigest(after: key, in: &bytes) }
  }

  private static func mendDigest(after key: [UInt8], in bytes: inout [UInt8]) {
    let count = ByteDigest().text.utf8.count
    guard
      let start = bytes.indices.first(where: { bytes[$0...].starts(with: key) }),
      start + key.count + count < bytes.count
    else { return }
    let place = start + key.count..<start + key.count + count
    var text = bytes
    text.removeSubrange(place)
    var digest = ByteDigest()
    text.withUnsafeBytes { digest.append($0) }
    bytes.replaceSubrange(place, with: Array(digest.text.utf8))
  }

  @Test("copies of a coordinator's records")
  func records() throws {
    let digest = "xxh128:" + String(repeating: "0a", count: 16)
    let samples = try (0..<3).map { count in
      try CopiedRecords(
        runID: "run-7", name: CheckpointName(generation: 2, version: 8), epochsFinished: 3,
        configurationDigest: "c", dataDigest: "d",
        files: (0...count).map { .init(path: "a/\($0)", byteCount: 5, digest: digest) },
        texts: ["best.json": "{}"], manifests: ["v0000000008-g2/manifest.json": "text"]
      ).encoded()
    }
    let inputs = InputMutator(
      files: samples, words: ["..", "/", "\"bytes\":"],
      changes: [Self.mendingDigest(after: ",\"digest\":\"")])
    let parser = FuzzedParser.file("records.json", inputs: inputs, rounds: 20_000) { bytes in
      try Self.verdict {
        let records = try CopiedRecords(decoding: Data(bytes), path: "records.json")
        guard try CopiedRecords(decoding: Data(records.encoded()), path: "again") == records else {
          throw FuzzFailure("\(records) is another one when it is written and read again")
        }
      }
    }
    try FuzzRun.run(parser)
  }

  @Test("manifests")
  func manifests() throws {
    let samples = try [1, 2].map { try Self.checkpoint(servers: $0).manifest }
    // A manifest must be in the folder of its checkpoint.
    let file = try MemoryFile(
      "manifest.json", in: MemoryFolder(name: CheckpointName(generation: 1, version: 3).folder))
    let again = try MemoryFile(
      "manifest.json", in: MemoryFolder(name: CheckpointName(generation: 1, version: 3).folder))
    let storages = [file, again].map { file in
      CheckpointStore(folder: FilePath.parent(of: FilePath.parent(of: file.path))).storage
    }
    let name = CheckpointName(generation: 1, version: 3).manifest
    let inputs = InputMutator(
      files: samples,
      words: [
        "null", "-1", "1e999", "18446744073709551616", "true", "{", "}", "[", "]", ",", ":",
        "\"format_version\"", "\"shards\"", "\"tables\"", "\"\\u0000\"", "\"../../x\"",
        "\u{1B}[2J", "0",
      ],
      changes: [Self.mendDigest])
    try FuzzRun.run(
      .file("checkpoint-manifest", inputs: inputs, rounds: 3_000) { bytes in
        try file.write(bytes)
        return try Self.verdict {
          let manifest = try CheckpointManifest.read(name, in: storages[0])
          try manifest.write(in: storages[1])
          guard try CheckpointManifest.read(name, in: storages[1]) == manifest else {
            throw FuzzFailure("\(manifest) became another one")
          }
        }
      })
  }

  /// Makes the header length match again: up to the first closing braces.
  private static let mendHeaderLength: InputMutator.Change = { bytes, _ in
    guard bytes.count > 8,
      let end = bytes.indices.dropFirst(8).first(where: { index in
        bytes[index...].starts(with: Array("}}".utf8))
      })
    else { return }
    let count = end + 2 - 8
    for byte in 0..<8 { bytes[byte] = UInt8(truncatingIfNeeded: count >> (8 * byte)) }
  }

  @Test("files of rows")
  func shards() throws {
    let samples = try [1, 3].map { try Self.checkpoint(servers: $0).shard }
    let file = try MemoryFile("rows.safetensors")
    let inputs = InputMutator(
      files: samples,
      words: [
        "F32", "U32", "F64", "[0,0]", "[9223372036854775807,2]", "[-1]", "\"data_offsets\"",
        "\"shape\"", "\"dtype\"", "__metadata__", "{}", "\u{1B}[2J", "18446744073709551615",
      ],
      changes: [Self.mendHeaderLength])
    try FuzzRun.run(
      .file("checkpoint-rows", inputs: inputs, rounds: 10_000) { bytes in
        try file.write(bytes)
        return try Self.verdict {
          let read = try SafetensorsFile(path: file.path)
          for entry in read.header.entries.values {
            guard entry.offset >= 0, entry.offset + entry.tensor.byteCount <= bytes.count else {
              throw FuzzFailure("\(entry) lies outside of \(bytes.count) bytes")
            }
          }
        }
      })
  }
}
