import Files
import Foundation
import ParameterServer
import Tensors

extension CheckpointManifest {
  /// Largest size of a manifest in bytes.
  private static let mostBytes = 16 << 20

  /// Writes the manifest, which completes the checkpoint.
  ///
  /// - Throws: ``CheckpointError``; there is no checkpoint then.
  package func write(in storage: any CheckpointStorage) throws(CheckpointError) {
    do {
      try storage.write(Array(try document().encoded()), to: name.manifest)
    } catch let error as CheckpointError {
      throw error
    } catch {
      throw CheckpointError(
        .cannotCreate, "Cannot write '\(storage.path(of: name.manifest))': \(error).")
    }
  }

  /// Reads a manifest.
  ///
  /// - Parameter file: its name, ``CheckpointName/manifest``.
  /// - Throws: ``CheckpointError``: `missing`; `unsupported` for a format of another release;
  ///   `damaged` if it is not what was written, or is in the folder of another checkpoint.
  package static func read(
    _ file: String, in storage: any CheckpointStorage
  ) throws(CheckpointError) -> CheckpointManifest {
    let path = storage.path(of: file)
    return try parse(
      try storage.open(file).contents(atMost: mostBytes, path: path), of: file, path: path)
  }

  /// The text of a manifest, to be sent to where the folder is not reached.
  package static func text(
    _ file: String, in storage: any CheckpointStorage
  ) throws(CheckpointError) -> String {
    let path = storage.path(of: file)
    return String(
      decoding: try storage.open(file).contents(atMost: mostBytes, path: path), as: UTF8.self)
  }

  /// The text of the manifest, as ``write(in:)`` writes it.
  package func text() throws -> String { String(decoding: try document().encoded(), as: UTF8.self) }

  /// A manifest from its text.
  ///
  /// - Parameters:
  ///   - file: its name, ``CheckpointName/manifest``.
  ///   - path: for messages.
  /// - Throws: ``CheckpointError`` as ``read(_:in:)``.
  package static func parse(
    _ data: Data, of file: String, path: String
  ) throws(CheckpointError) -> CheckpointManifest {
    let decoder = JSONDecoder()
    guard let format = try? decoder.decode(Format.self, from: data) else {
      throw .damaged(path, "it is not a manifest")
    }
    guard format.formatVersion == formatVersion else {
      throw CheckpointError(
        .unsupported,
        "Cannot use '\(path)': it has format \(format.formatVersion), and this release reads "
          + "format \(formatVersion). Resume with the release that wrote it, or begin a new run.")
    }
    guard var document = try? decoder.decode(Document.self, from: data) else {
      throw .damaged(path, "it lacks fields of a manifest, or they have other types")
    }
    guard let manifest = CheckpointManifest(document) else {
      throw .damaged(
        path,
        "it has \(document.stepsPerEpoch) steps per epoch and \(document.roundsPerStep) rounds "
          + "per step")
    }
    let digest = document.digest
    document.digest = ""
    guard digest == (try? document.contentDigest()) else {
      throw .damaged(path, "its content does not match its digest \(digest.sanitized())")
    }
    if let problem = manifest.problem { throw .damaged(path, problem) }
    guard file == manifest.name.manifest else {
      throw .damaged(path, "it is of '\(manifest.name.folder)', not of this folder")
    }
    return manifest
  }

  private struct Format: Decodable {
    let formatVersion: Int

    enum CodingKeys: String, CodingKey { case formatVersion = "format_version" }
  }

  /// The manifest as JSON. It has only integers and strings, so that decoding and encoding it again
  /// gives the same bytes, from which the digest is computed.
  private struct Document: Codable {
    struct Shard: Codable {
      let file: String
      let bytes: Int
      let digest: String
    }

    var formatVersion = CheckpointManifest.formatVersion
    let run: String
    let generation: UInt64
    let version: UInt64
    let epoch: Int
    let step: UInt64
    let stepsPerEpoch: Int
    let roundsPerStep: Int
    let servers: Int
    let tables: [Table]
    let optimizer: OptimizerDescription
    let shards: [Shard]
    let configuration: String
    let configurationDigest: String
    let dataDigest: String
    let created: String
    var digest = ""

    enum CodingKeys: String, CodingKey {
      case formatVersion = "format_version"
      case run, generation, version, epoch, step, servers, tables, optimizer, shards,
        configuration, created, digest
      case stepsPerEpoch = "steps_per_epoch"
      case roundsPerStep = "rounds_per_step"
      case configurationDigest = "configuration_digest"
      case dataDigest = "data_digest"
    }

    func encoded() throws -> Data {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      return try encoder.encode(self)
    }

    func contentDigest() throws -> String {
      var digest = ByteDigest()
      try encoded().withUnsafeBytes { digest.append($0) }
      return digest.text
    }
  }

  /// nil if the numbers of steps or rounds are out of range.
  private init?(_ document: Document) {
    let counts = 1...Int(UInt32.max)
    guard counts.contains(document.stepsPerEpoch), counts.contains(document.roundsPerStep) else {
      return nil
    }
    self.init(
      runID: document.run,
      name: CheckpointName(generation: document.generation, version: document.version),
      schedule: StepSchedule(
        stepsPerEpoch: document.stepsPerEpoch, roundsPerStep: document.roundsPerStep),
      tables: document.tables, optimizer: document.optimizer,
      shards: document.shards.map {
        Shard(file: $0.file, byteCount: $0.bytes, digest: $0.digest)
      },
      configuration: document.configuration, configurationDigest: document.configurationDigest,
      dataDigest: document.dataDigest, created: document.created)
  }

  private func document() throws -> Document {
    var document = Document(
      run: runID, generation: name.generation, version: name.version, epoch: epoch, step: step,
      stepsPerEpoch: schedule.stepsPerEpoch, roundsPerStep: schedule.roundsPerStep,
      servers: serverCount, tables: tables, optimizer: optimizer,
      shards: shards.map {
        Document.Shard(file: $0.file, bytes: $0.byteCount, digest: $0.digest)
      },
      configuration: configuration, configurationDigest: configurationDigest,
      dataDigest: dataDigest, created: created)
    document.digest = try document.contentDigest()
    return document
  }
}
