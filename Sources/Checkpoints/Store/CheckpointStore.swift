import Files

/// The checkpoints of a run, in a folder that the coordinator and all servers share, or in an
/// object store.
///
///     FOLDER/v0000000118-g2/server-0-of-2.safetensors   the rows of one server
///     FOLDER/v0000000118-g2/server-1-of-2.safetensors
///     FOLDER/v0000000118-g2/manifest.json               written last: completes the checkpoint
package struct CheckpointStore: Sendable {
  package let storage: any CheckpointStorage

  /// The folder of all checkpoints of the run, or `s3://BUCKET/PREFIX`.
  package var folder: String { storage.folder }

  package init(_ storage: any CheckpointStorage) { self.storage = storage }

  /// - Parameter folder: a folder, or `s3://BUCKET/PREFIX`. Nothing is read yet.
  package init(folder: String) {
    storage =
      S3Location(folder).map { BucketStorage($0) } ?? FolderStorage(folder: folder)
  }

  /// A folder of the store.
  package struct Entry: Sendable, Equatable {
    package enum Content: Sendable, Equatable {
      case committed(CheckpointManifest)
      /// There is no manifest (yet).
      case uncommitted
      /// The manifest is damaged, unsupported or unreadable.
      case unusable(CheckpointError)
    }

    package let name: CheckpointName
    package let content: Content

    /// The manifest of a checkpoint; nil if there is none.
    package var manifest: CheckpointManifest? {
      if case .committed(let manifest) = content { manifest } else { nil }
    }
  }

  /// The folders of the store, newest first. Manifests are read, other files are not. Entries with
  /// other names are ignored.
  ///
  /// - Throws: ``CheckpointError`` when the folder exists but cannot be read.
  package func list() throws(CheckpointError) -> [Entry] {
    try storage.names().sorted(by: >).map { name in
      do throws(CheckpointError) {
        return Entry(name: name, content: .committed(try .read(name.manifest, in: storage)))
      } catch {
        return Entry(
          name: name, content: error.code == .missing ? .uncommitted : .unusable(error))
      }
    }
  }

  /// Whether a checkpoint has a manifest, usable or not; also true if that cannot be found out.
  package func hasManifest(_ name: CheckpointName) -> Bool {
    do throws(CheckpointError) {
      _ = try storage.byteCount(of: name.manifest)
      return true
    } catch {
      return error.code != .missing
    }
  }

  /// Creates the folder, if it is missing, and checks that checkpoints can be written there.
  ///
  /// - Throws: ``CheckpointError``.
  package func prepare() throws(CheckpointError) { try storage.prepare() }

  /// The result of ``latestUsable(runID:)``.
  package struct Latest: Sendable, Equatable {
    /// The newest checkpoint whose files have their digests; nil: there is none.
    package let manifest: CheckpointManifest?
    /// Why newer checkpoints are unusable, newest first.
    package let problems: [String]
    /// Whether the run has no checkpoint at all, not even a damaged one.
    package let hasNoCheckpoint: Bool

    package init(
      manifest: CheckpointManifest? = nil, problems: [String] = [], hasNoCheckpoint: Bool = false
    ) {
      self.manifest = manifest
      self.problems = problems
      self.hasNoCheckpoint = hasNoCheckpoint
    }
  }

  /// Finds the newest checkpoint of a run whose files have their digests. Reads all its files.
  ///
  /// - Parameter dataDigest: of the data that it must have been trained on; nil: any.
  /// - Throws: ``CheckpointError`` when the folder, a manifest or a file exists but cannot be read.
  ///   It need not be damaged then, and a retry may succeed.
  package func latestUsable(
    runID: String, dataDigest: String? = nil
  ) throws(CheckpointError) -> Latest {
    var problems: [String] = []
    var hasNoCheckpoint = true
    for entry in try list() {
      switch entry.content {
      case .uncommitted: continue
      case .unusable(let error):
        hasNoCheckpoint = false
        if error.code == .inputOutput { throw error }
        problems.append(error.message)
      case .committed(let manifest):
        guard manifest.runID == runID else {
          problems.append(
            "Cannot resume from '\(folder)/\(entry.name.folder)': it belongs to run "
              + "'\(manifest.runID)', not to '\(runID)'; use another folder for checkpoints.")
          continue
        }
        // Of data before it grew: its versions count other steps.
        guard dataDigest == nil || manifest.dataDigest == dataDigest else { continue }
        hasNoCheckpoint = false
        let found = verify(manifest)
        if found.isEmpty { return Latest(manifest: manifest, problems: problems) }
        for error in found {
          if error.code == .inputOutput { throw error }
          problems.append(error.message)
        }
      }
    }
    return Latest(manifest: nil, problems: problems, hasNoCheckpoint: hasNoCheckpoint)
  }

  /// Checks all files of a checkpoint, reading them completely.
  ///
  /// - Parameter progress: receives the number of bytes of every part that is read.
  /// - Returns: the problems, in sentences.
  package func verify(
    _ manifest: CheckpointManifest, progress: (Int) -> Void = { _ in }
  ) -> [CheckpointError] {
    var problems: [CheckpointError] = []
    var shards: [CheckpointShardFile] = []
    for rank in manifest.shards.indices {
      do throws(CheckpointError) {
        let shard = try CheckpointShardFile(manifest, rank: rank, in: storage)
        try shard.verifyDigest(progress: progress)
        if rank == 0 { _ = try shard.epochSums() }
        shards.append(shard)
      } catch {
        problems.append(error)
      }
    }
    guard problems.isEmpty else { return problems }
    for table in manifest.tables {
      do throws(CheckpointError) {
        var count = 0
        for shard in shards {
          count += try shard.table(manifest.shape(of: table)).rowCount
        }
        guard count == table.rows else {
          throw .damaged(
            "\(folder)/\(manifest.name.folder)",
            "its files have \(count) of the \(table.rows) rows of table '\(table.name)'")
        }
      } catch {
        problems.append(error)
      }
    }
    return problems
  }

  /// Checks that the files of a checkpoint exist and have their sizes, without reading them.
  ///
  /// - Throws: ``CheckpointError``: `missing`, or `damaged` if a file has another size.
  package func checkSizes(_ manifest: CheckpointManifest) throws(CheckpointError) {
    for shard in manifest.shards {
      let file = "\(manifest.name.folder)/\(shard.file)"
      let byteCount: Int
      do throws(CheckpointError) {
        byteCount = try storage.byteCount(of: file)
      } catch  where error.code == .missing {
        throw CheckpointError(
          .missing,
          "Cannot use the checkpoint of version \(manifest.version): "
            + "'\(storage.path(of: file))' does not exist.")
      } catch {
        throw error
      }
      guard byteCount == shard.byteCount else {
        throw .damaged(
          storage.path(of: file),
          "it has \(byteCount) bytes, and \(shard.byteCount) were written")
      }
    }
  }

  /// Completes a checkpoint from the files of all servers by writing its manifest.
  ///
  /// - Throws: ``CheckpointError`` if this process does not see a file with its size, or the
  ///   manifest cannot be written; there is no such checkpoint then, and older ones are kept.
  package func commit(_ manifest: CheckpointManifest) throws(CheckpointError) {
    do throws(CheckpointError) {
      try checkSizes(manifest)
    } catch  where error.code == .missing {
      throw CheckpointError(
        .missing,
        "\(error.message) Coordinator and servers must share the folder of the checkpoints.")
    }
    try manifest.write(in: storage)
  }
}
