import Files
import Foundation
import Protocol
import Tensors

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A copy of what only the coordinator's disk has of a run, as of a checkpoint: the records, the
/// best model, manifests. With the rows of that checkpoint, the run can be resumed.
///
///     v0000000118-g2/records.json   this, written last: completes the copy
///     v0000000118-g2/DIGEST.copy    the files that it names
package struct CopiedRecords: Sendable, Equatable {
  /// A file of the run directory.
  package struct File: Sendable, Equatable, Codable {
    /// Relative to the run directory.
    package let path: String
    package let byteCount: Int
    /// As ``FileContent/digest``.
    package let digest: String

    enum CodingKeys: String, CodingKey {
      case path, digest
      case byteCount = "bytes"
    }

    package init(path: String, byteCount: Int, digest: String) {
      self.path = path
      self.byteCount = byteCount
      self.digest = digest
    }
  }

  package let runID: String
  package let name: CheckpointName
  package let epochsFinished: UInt32
  package let configurationDigest: String
  package let dataDigest: String
  /// The records and the files of the best model.
  package let files: [File]
  /// Small files of the run directory, by name.
  package let texts: [String: String]
  /// The texts of manifests, by their paths relative to the folder of the checkpoints.
  package let manifests: [String: String]

  package init(
    runID: String, name: CheckpointName, epochsFinished: UInt32, configurationDigest: String,
    dataDigest: String, files: [File], texts: [String: String], manifests: [String: String]
  ) {
    self.runID = runID
    self.name = name
    self.epochsFinished = epochsFinished
    self.configurationDigest = configurationDigest
    self.dataDigest = dataDigest
    self.files = files
    self.texts = texts
    self.manifests = manifests
  }

  /// The contents of ``files``, each once.
  package var contents: [CopiedFile] {
    var seen: Set<String> = []
    return files.compactMap {
      seen.insert($0.digest).inserted
        ? CopiedFile(.content, of: name, byteCount: $0.byteCount, digest: $0.digest) : nil
    }
  }

  // MARK: As a file

  private static let formatVersion = 1
  /// Largest size of the file in bytes.
  package static let mostBytes = 64 << 20
  /// Most files and texts.
  private static let mostFiles = 64

  private struct Format: Decodable {
    let formatVersion: Int

    enum CodingKeys: String, CodingKey { case formatVersion = "format_version" }
  }

  private struct Document: Codable {
    var formatVersion = CopiedRecords.formatVersion
    let run: String
    let generation: UInt64
    let version: UInt64
    let epochsFinished: UInt32
    let configurationDigest: String
    let dataDigest: String
    let files: [File]
    let texts: [String: String]
    let manifests: [String: String]
    var digest = ""

    enum CodingKeys: String, CodingKey {
      case formatVersion = "format_version"
      case run, generation, version, files, texts, manifests, digest
      case epochsFinished = "epochs_finished"
      case configurationDigest = "configuration_digest"
      case dataDigest = "data_digest"
    }

    func encoded() throws -> Data {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      return try encoder.encode(self)
    }

    func contentDigest() throws -> String {
      var digest = ByteDigest()
      try encoded().withUnsafeBytes { digest.append($0) }
      return digest.text
    }
  }

  /// The bytes of the file. It has the digest of its content in it.
  package func encoded() throws -> [UInt8] {
    var document = Document(
      run: runID, generation: name.generation, version: name.version,
      epochsFinished: epochsFinished, configurationDigest: configurationDigest,
      dataDigest: dataDigest, files: files, texts: texts, manifests: manifests)
    document.digest = try document.contentDigest()
    return Array(try document.encoded())
  }

  /// Reads the file.
  ///
  /// - Parameter path: for messages.
  /// - Throws: ``CheckpointError``: `unsupported` for a format of another release, `damaged` if it
  ///   is not what was written.
  package init(decoding data: Data, path: String) throws(CheckpointError) {
    guard data.count <= Self.mostBytes,
      let format = try? JSONDecoder().decode(Format.self, from: data)
    else { throw .damaged(path, "it is no copy of records") }
    guard format.formatVersion == Self.formatVersion else {
      throw CheckpointError(
        .unsupported,
        "Cannot use '\(path)': it has format \(format.formatVersion), and this release reads "
          + "format \(Self.formatVersion). Resume with the release that wrote it.")
    }
    guard var document = try? JSONDecoder().decode(Document.self, from: data) else {
      throw .damaged(path, "it lacks fields of a copy of records")
    }
    let digest = document.digest
    document.digest = ""
    guard digest == (try? document.contentDigest()) else {
      throw .damaged(path, "its content does not match its digest \(digest.sanitized())")
    }
    self.init(
      runID: document.run,
      name: CheckpointName(generation: document.generation, version: document.version),
      epochsFinished: document.epochsFinished, configurationDigest: document.configurationDigest,
      dataDigest: document.dataDigest, files: document.files, texts: document.texts,
      manifests: document.manifests)
    let paths = files.map(\.path) + texts.keys + manifests.keys
    guard paths.count <= Self.mostFiles, paths.allSatisfy(Self.isInside),
      files.allSatisfy({ $0.byteCount > 0 }), contents.count == Set(files.map(\.digest)).count
    else { throw .damaged(path, "it names files that no run directory has") }
  }

  /// Whether a relative path stays in its folder.
  private static func isInside(_ path: String) -> Bool {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    return parts.count <= 4 && parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
  }
}

// MARK: On a server's disk

extension CheckpointStore {
  /// The newest complete copy of records here, with the size and digest of its file; nil if there
  /// is none. Damaged ones are skipped.
  package func latestRecords() -> (records: CopiedRecords, file: CopiedFile)? {
    for name in ((try? storage.names()) ?? []).sorted(by: >) {
      let path = "\(name.folder)/\(CopiedFile.recordsName)"
      guard
        let bytes = try? storage.open(path).contents(
          atMost: CopiedRecords.mostBytes, path: storage.path(of: path)),
        let records = try? CopiedRecords(decoding: bytes, path: storage.path(of: path)),
        records.name == name, records.contents.allSatisfy(findContent)
      else { continue }
      var digest = ByteDigest()
      bytes.withUnsafeBytes { digest.append($0) }
      guard
        let file = CopiedFile(
          .records, of: name, byteCount: bytes.count, digest: digest.text)
      else { continue }
      return (records, file)
    }
    return nil
  }

  // MARK: Runs that are over

  private var overPath: String { "\(folder)/over" }

  /// Notes that the run has come to its end, so that its records are not looked for.
  package func noteOver() {
    guard access(folder, F_OK) == 0 else { return }
    try? DurableFile.write([], to: overPath)
  }

  /// Whether the run has come to its end, as far as this disk knows.
  package var isOver: Bool { access(overPath, F_OK) == 0 }

  /// The ids of the runs that have a folder in a folder.
  package static func runs(in folder: String) -> [String] {
    ((try? PlainFile.names(in: folder, atMost: 1 << 16)) ?? []).sorted()
  }
}
