import Protocol

/// A server's file of a checkpoint that is kept on several servers' disks.
package struct CopiedFile: Sendable, Hashable {
  package let name: CheckpointName
  /// The server that wrote it.
  package let rank: Int
  /// Of the servers that wrote the checkpoint.
  package let serverCount: Int
  package let byteCount: Int
  /// As ``FileContent/digest``.
  package let digest: String

  /// The path relative to the folder of the checkpoints.
  package var path: String {
    "\(name.folder)/\(CheckpointName.shardFile(rank: rank, serverCount: serverCount))"
  }

  /// The file that a server has written.
  package init(_ shard: CheckpointShard, serverCount: Int) {
    name = CheckpointName(generation: shard.generation, version: shard.version)
    rank = Int(shard.rank)
    self.serverCount = serverCount
    byteCount = Int(clamping: shard.byteCount)
    digest = shard.digest
  }

  /// The file of a server in a manifest.
  package init(_ manifest: CheckpointManifest, rank: Int) {
    name = manifest.name
    self.rank = rank
    serverCount = manifest.serverCount
    byteCount = manifest.shards[rank].byteCount
    digest = manifest.shards[rank].digest
  }

  /// The file that a request is about.
  package init(_ request: CopyRequest) {
    name = CheckpointName(generation: request.generation, version: request.version)
    rank = Int(request.rank)
    serverCount = Int(request.serverCount)
    byteCount = Int(clamping: request.byteCount)
    digest = request.digest
  }

  /// A request about the file.
  package func request(
    _ purpose: CopyRequest.Purpose, at offset: Int, runID: String
  ) -> CopyRequest {
    CopyRequest(
      runID: runID, generation: name.generation, version: name.version, rank: UInt32(rank),
      serverCount: UInt32(serverCount), byteCount: UInt64(byteCount), digest: digest,
      offset: UInt64(offset), purpose: purpose)
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

  /// The bytes of a file from an offset on, at most `CopyRequest.mostBytes`.
  ///
  /// - Throws: ``CheckpointError``: `missing`, or `damaged` if the file has another size.
  package func piece(
    of file: CopiedFile, at offset: Int
  ) throws(CheckpointError) -> Payload {
    let path = storage.path(of: file.path)
    let purpose = "read '\(path)'"
    let source = try storage.open(file.path)
    let size = try source.byteCount(purpose: purpose)
    guard size == file.byteCount else {
      throw .damaged(path, "it has \(size) bytes, and \(file.byteCount) were written")
    }
    var bytes = [UInt8](
      repeating: 0, count: max(0, min(CopyRequest.mostBytes, file.byteCount - offset)))
    let count = try bytes.withUnsafeMutableBufferPointer { (bytes) throws(CheckpointError) in
      try source.read(into: UnsafeMutableRawBufferPointer(bytes), at: offset, purpose: purpose)
    }
    guard count == bytes.count else {
      throw .damaged(path, "it ends at byte \(offset + count) of \(file.byteCount)")
    }
    return Payload.copying(bytes)
  }

  /// The newest manifest of a run that can be read, where the files of servers are on their own
  /// disks, so that they cannot be checked here.
  ///
  /// - Throws: ``CheckpointError`` when the folder or a manifest exists but cannot be read.
  package func latestManifest(runID: String) throws(CheckpointError) -> Latest {
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
        return Latest(manifest: manifest, problems: problems)
      case .committed(let manifest):
        problems.append(
          "Cannot resume from '\(folder)/\(entry.name.folder)': it belongs to run "
            + "'\(manifest.runID)', not to '\(runID)'; use another folder for checkpoints.")
      }
    }
    return Latest(problems: problems, hasNoCheckpoint: hasNoCheckpoint)
  }

  /// Writes a manifest whose files are on the disks of servers.
  ///
  /// - Throws: ``CheckpointError``; there is no such checkpoint then.
  package func keep(_ manifest: CheckpointManifest) throws(CheckpointError) {
    try storage.makePlace(of: manifest.name)
    try manifest.write(in: storage)
  }
}
