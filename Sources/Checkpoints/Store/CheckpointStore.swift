internal import Files
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
///     FOLDER/v0000000118-g2/manifest.json               written last; without it there is none
public struct CheckpointStore: Sendable {
  /// Of all checkpoints of the run.
  public let folder: String

  public init(folder: String) {
    self.folder = folder
  }

  /// What lies in one folder of the store.
  public struct Entry: Sendable, Equatable {
    public enum Content: Sendable, Equatable {
      case committed(CheckpointManifest)
      /// Not all files are there (yet).
      case uncommitted
      /// There is a manifest, but not one to rely on.
      case unusable(CheckpointError)
    }

    public let name: CheckpointName
    public let content: Content

    /// The manifest of a checkpoint; nil if there is none.
    public var manifest: CheckpointManifest? {
      if case .committed(let manifest) = content { manifest } else { nil }
    }
  }

  /// What lies in the store, newest first; manifests are read, other files are not. Folders and
  /// files that are none of the store's are left out.
  ///
  /// - Throws: ``CheckpointError`` when the folder is there but cannot be read.
  public func list() throws(CheckpointError) -> [Entry] {
    try names().sorted(by: >).map { name in
      do throws(CheckpointError) {
        return Entry(name: name, content: .committed(try .read("\(folder)/\(name.manifest)")))
      } catch {
        return Entry(
          name: name, content: error.code == .missing ? .uncommitted : .unusable(error))
      }
    }
  }

  /// Entries of the folder at most.
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

  /// What ``latestUsable(runID:)`` found.
  public struct Latest: Sendable, Equatable {
    /// The newest checkpoint whose files are what was written; nil: there is none.
    public let manifest: CheckpointManifest?
    /// What is wrong with each one that is newer, newest first.
    public let problems: [String]
    /// Whether there is none of the run at all, not even one that is damaged.
    public let isNoneThere: Bool

    package init(
      manifest: CheckpointManifest? = nil, problems: [String] = [], isNoneThere: Bool = false
    ) {
      self.manifest = manifest
      self.problems = problems
      self.isNoneThere = isNoneThere
    }
  }

  /// The newest checkpoint of a run whose files are what was written. Reads all of them.
  ///
  /// - Throws: ``CheckpointError`` when the folder, a manifest or a file is there but cannot be
  ///   read: that does not say that it is damaged, and another try may find it whole.
  public func latestUsable(runID: String) throws(CheckpointError) -> Latest {
    var problems: [String] = []
    var isNoneThere = true
    for entry in try list() {
      switch entry.content {
      case .uncommitted: continue
      case .unusable(let error):
        isNoneThere = false
        if error.code == .inputOutput { throw error }
        problems.append(error.message)
      case .committed(let manifest):
        guard manifest.runID == runID else {
          problems.append(
            "Cannot go on from '\(folder)/\(entry.name.folder)': it belongs to run "
              + "'\(manifest.runID)', not to '\(runID)'; use another folder for checkpoints.")
          continue
        }
        isNoneThere = false
        let found = verify(manifest)
        if found.isEmpty { return Latest(manifest: manifest, problems: problems) }
        for error in found {
          if error.code == .inputOutput { throw error }
          problems.append(error.message)
        }
      }
    }
    return Latest(manifest: nil, problems: problems, isNoneThere: isNoneThere)
  }

  /// What is wrong with the files of a checkpoint; empty: nothing. Reads all of them.
  public func verify(_ manifest: CheckpointManifest) -> [CheckpointError] {
    var problems: [CheckpointError] = []
    var shards: [CheckpointShardFile] = []
    for rank in manifest.shards.indices {
      do throws(CheckpointError) {
        let shard = try CheckpointShardFile(manifest, rank: rank, folder: folder)
        try shard.verifyDigest()
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

  /// Looks whether the files of a checkpoint are there in their sizes, without reading them.
  ///
  /// - Throws: ``CheckpointError``: `missing`, or `damaged` if a file has another size.
  public func checkSizes(_ manifest: CheckpointManifest) throws(CheckpointError) {
    for shard in manifest.shards {
      let path = "\(folder)/\(manifest.name.folder)/\(shard.file)"
      var status = stat()
      guard stat(path, &status) == 0 else {
        throw CheckpointError(
          .missing,
          "Cannot use the checkpoint of version \(manifest.version): '\(path)' is not there "
            + "(\(String(cString: strerror(errno)))).")
      }
      guard Int(status.st_size) == shard.byteCount else {
        throw .damaged(path, "it has \(status.st_size) bytes, and \(shard.byteCount) were written")
      }
    }
  }

  /// Makes the files of all servers a checkpoint.
  ///
  /// - Throws: ``CheckpointError`` if a file cannot be seen from here in its size, or the manifest
  ///   cannot be written; there is no checkpoint then, and those before stay.
  public func commit(_ manifest: CheckpointManifest) throws(CheckpointError) {
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
