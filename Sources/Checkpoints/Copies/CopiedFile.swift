import Protocol

/// A file of a checkpoint that is kept on several disks.
package struct CopiedFile: Sendable, Hashable {
  package let name: CheckpointName
  package let subject: CopyRequest.Subject
  package let byteCount: Int
  /// As ``FileContent/digest``.
  package let digest: String
  /// The path relative to the folder of the checkpoints.
  package let path: String

  /// The name of a copy of the coordinator's records, in the folder of their checkpoint.
  static let recordsName = "records.json"

  /// - Returns: nil if the digest cannot be the name of a file.
  package init?(
    _ subject: CopyRequest.Subject, of name: CheckpointName, byteCount: Int, digest: String
  ) {
    self.name = name
    self.subject = subject
    self.byteCount = byteCount
    self.digest = digest
    switch subject {
    case .rows(let rank, let serverCount):
      path =
        "\(name.folder)/"
        + CheckpointName.shardFile(rank: Int(rank), serverCount: Int(serverCount))
    case .records: path = "\(name.folder)/\(Self.recordsName)"
    case .content:
      guard let hexadecimal = digest.firstMatch(of: /^xxh128:([0-9a-f]{32})$/)?.1 else {
        return nil
      }
      path = "\(name.folder)/\(hexadecimal).copy"
    }
  }

  private init(
    rowsOf rank: Int, _ serverCount: Int, of name: CheckpointName, _ content: FileContent
  ) {
    self.name = name
    subject = .rows(rank: UInt32(clamping: rank), serverCount: UInt32(clamping: serverCount))
    byteCount = content.byteCount
    digest = content.digest
    path = "\(name.folder)/\(CheckpointName.shardFile(rank: rank, serverCount: serverCount))"
  }

  /// The file that a server has written.
  package init(_ shard: CheckpointShard, serverCount: Int) {
    self.init(
      rowsOf: Int(shard.rank), serverCount,
      of: CheckpointName(generation: shard.generation, version: shard.version),
      FileContent(byteCount: Int(clamping: shard.byteCount), digest: shard.digest))
  }

  /// The file of a server in a manifest.
  package init(_ manifest: CheckpointManifest, rank: Int) {
    self.init(
      rowsOf: rank, manifest.serverCount, of: manifest.name,
      FileContent(
        byteCount: manifest.shards[rank].byteCount, digest: manifest.shards[rank].digest))
  }

  /// The file that a request is about; nil if there can be no such file.
  package init?(_ request: CopyRequest) {
    self.init(
      request.subject, of: CheckpointName(generation: request.generation, version: request.version),
      byteCount: Int(clamping: request.byteCount), digest: request.digest)
  }

  /// Who writes such files, one after the other.
  package var origin: String {
    switch subject {
    case .rows(let rank, _): "server \(rank)"
    case .records, .content: "coordinator"
    }
  }

  /// A request about the file.
  package func request(
    _ purpose: CopyRequest.Purpose, at offset: Int, runID: String
  ) -> CopyRequest {
    CopyRequest(
      runID: runID, generation: name.generation, version: name.version, subject: subject,
      byteCount: UInt64(byteCount), digest: digest, offset: UInt64(offset), purpose: purpose)
  }

  /// The bytes from an offset on of a file that has these contents, at most
  /// `CopyRequest.mostBytes`.
  ///
  /// - Throws: ``CheckpointError``: `damaged` if the file has another size.
  package func piece(
    at offset: Int, from source: any ReadableFile, path: String
  ) throws(CheckpointError) -> Payload {
    let purpose = "read '\(path)'"
    let size = try source.byteCount(purpose: purpose)
    guard size == byteCount else {
      throw .damaged(path, "it has \(size) bytes, and \(byteCount) were written")
    }
    var bytes = [UInt8](
      repeating: 0, count: max(0, min(CopyRequest.mostBytes, byteCount - offset)))
    let count = try bytes.withUnsafeMutableBufferPointer { (bytes) throws(CheckpointError) in
      try source.read(into: UnsafeMutableRawBufferPointer(bytes), at: offset, purpose: purpose)
    }
    guard count == bytes.count else {
      throw .damaged(path, "it ends at byte \(offset + count) of \(byteCount)")
    }
    return Payload.copying(bytes)
  }
}

extension CheckpointStore {
  /// Whether a file is here with its size and digest. Reads it completely.
  ///
  /// - Throws: ``CheckpointError`` when it exists but cannot be read.
  package func holds(_ file: CopiedFile) throws(CheckpointError) -> Bool {
    do throws(CheckpointError) {
      let found = try FileContent.digest(
        of: storage.open(file.path), path: storage.path(of: file.path), byteCount: file.byteCount)
      return found == file.digest
    } catch {
      guard error.code == .missing || error.code == .damaged else { throw error }
      return false
    }
  }

  /// Whether a file is here with its size, without reading it. A file that belongs to the records
  /// of an earlier checkpoint becomes part of this one, too.
  package func findContent(_ file: CopiedFile) -> Bool {
    if (try? storage.byteCount(of: file.path)) == file.byteCount { return true }
    for name in (try? storage.names()) ?? [] where name != file.name {
      guard
        let other = CopiedFile(
          file.subject, of: name, byteCount: file.byteCount, digest: file.digest),
        (try? storage.byteCount(of: other.path)) == file.byteCount,
        storage.link(other.path, to: file.path, in: file.name)
      else { continue }
      return true
    }
    return false
  }

  /// The bytes of a file from an offset on, at most `CopyRequest.mostBytes`.
  ///
  /// - Throws: ``CheckpointError``: `missing`, or `damaged` if the file has another size.
  package func piece(
    of file: CopiedFile, at offset: Int
  ) throws(CheckpointError) -> Payload {
    try file.piece(
      at: offset, from: storage.open(file.path), path: storage.path(of: file.path))
  }

  /// The files with rows of a checkpoint that are here, with their digests. Reads them completely.
  package func rowsFiles(of name: CheckpointName) -> [(rank: UInt32, digest: String)] {
    storage.files(of: name).compactMap { file in
      guard
        let rank = file.wholeMatch(of: /server-(\d{1,9})-of-\d{1,9}\.safetensors/).flatMap({
          UInt32($0.1)
        }), let source = try? storage.open("\(name.folder)/\(file)"),
        let byteCount = try? storage.byteCount(of: "\(name.folder)/\(file)"),
        let digest = try? FileContent.digest(
          of: source, path: storage.path(of: "\(name.folder)/\(file)"), byteCount: byteCount)
      else { return nil }
      return (rank, digest)
    }
  }

  /// The manifests of a run that can be read, where the files of servers are on their own disks, so
  /// that they cannot be checked here.
  ///
  /// - Throws: ``CheckpointError`` when the folder or a manifest exists but cannot be read.
  package func manifests(runID: String) throws(CheckpointError) -> Manifests {
    var manifests: [CheckpointManifest] = []
    var problems: [String] = []
    var hasNoCheckpoint = true
    for entry in try list() {
      switch entry.content {
      case .uncommitted: continue
      case .unusable(let error):
        hasNoCheckpoint = false
        if error.code == .inputOutput { throw error }
        problems.append(error.message)
      case .committed(let manifest) where manifest.runID == runID:
        hasNoCheckpoint = false
        manifests.append(manifest)
      case .committed(let manifest):
        problems.append(
          "Cannot resume from '\(folder)/\(entry.name.folder)': it belongs to run "
            + "'\(manifest.runID)', not to '\(runID)'; use another folder for checkpoints.")
      }
    }
    return Manifests(
      manifests: manifests, problems: problems, hasNoCheckpoint: hasNoCheckpoint)
  }

  /// The result of ``manifests(runID:)``.
  package struct Manifests: Sendable, Equatable {
    /// The newest first.
    package let manifests: [CheckpointManifest]
    /// Why others are unusable.
    package let problems: [String]
    /// Whether the run has no checkpoint at all, not even a damaged one.
    package let hasNoCheckpoint: Bool
  }

  /// Writes a manifest whose files are on the disks of servers.
  ///
  /// - Throws: ``CheckpointError``; there is no such checkpoint then.
  package func keep(_ manifest: CheckpointManifest) throws(CheckpointError) {
    try storage.makePlace(of: manifest.name)
    try manifest.write(in: storage)
  }
}
