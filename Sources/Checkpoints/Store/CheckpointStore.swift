import Files
import Foundation

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The checkpoints of a run: a folder that the coordinator and all servers share.
///
///     FOLDER/v0000000118-g2/server-0-of-2.safetensors   the rows of one server
///     FOLDER/v0000000118-g2/server-1-of-2.safetensors
///     FOLDER/v0000000118-g2/manifest.json               written last: completes the checkpoint
package struct CheckpointStore: Sendable {
  /// The folder of all checkpoints of the run.
  package let folder: String

  package init(folder: String) {
    self.folder = folder
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
    try names().sorted(by: >).map { name in
      do throws(CheckpointError) {
        return Entry(name: name, content: .committed(try .read("\(folder)/\(name.manifest)")))
      } catch {
        return Entry(
          name: name, content: error.code == .missing ? .uncommitted : .unusable(error))
      }
    }
  }

  /// Most entries of the folder.
  private static let mostEntries = 1 << 20

  private func names() throws(CheckpointError) -> [CheckpointName] {
    do {
      return try PlainFile.names(in: folder, atMost: Self.mostEntries)
        .compactMap { CheckpointName(folder: $0) }
    } catch .system(ENOENT) {
      return []
    } catch {
      throw CheckpointError(error, "read the folder '\(folder)'", isReading: true)
    }
  }

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
  /// - Throws: ``CheckpointError`` when the folder, a manifest or a file exists but cannot be read.
  ///   It need not be damaged then, and a retry may succeed.
  package func latestUsable(runID: String) throws(CheckpointError) -> Latest {
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
        let shard = try CheckpointShardFile(manifest, rank: rank, folder: folder)
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
      let path = "\(folder)/\(manifest.name.folder)/\(shard.file)"
      var status = stat()
      guard stat(path, &status) == 0 else {
        throw CheckpointError(
          .missing,
          "Cannot use the checkpoint of version \(manifest.version): '\(path)' does not exist "
            + "(\(String(cString: strerror(errno)))).")
      }
      guard Int(status.st_size) == shard.byteCount else {
        throw .damaged(path, "it has \(status.st_size) bytes, and \(shard.byteCount) were written")
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
    try manifest.write(to: "\(folder)/\(manifest.name.manifest)")
  }
}
