import Coordinator
import ParameterServer
import Protocol

/// Everything that outlives the processes: the coordinator's records, the checkpoints, the best
/// model.
package struct SimulatedDisk {
  /// A file with a server's rows.
  struct ShardFile {
    let snapshot: ServerSnapshot
    var isDamaged = false
  }

  struct SavedModel: Equatable {
    let epoch: UInt32
    let version: UInt64
    /// All tables, bit by bit.
    let bits: [[UInt32]]
  }

  /// The coordinator's records.
  package private(set) var run: StoredRun?
  private var files: [String: ShardFile] = [:]
  /// By manifest.
  private var manifests: [String: CheckpointCommit] = [:]
  /// Of all checkpoints that were ever committed.
  private var committed: Set<String> = []
  /// The files of the best model.
  var best: SavedModel?
  private static let keptCount = 2
  /// Where the copies of a file are, if every server has a disk of its own.
  private var holders: [String: Set<Slot>] = [:]
  /// Copies of what only the coordinator's disk has, by the server on whose disk they are.
  private var copies: [Slot: CoordinatorCopy] = [:]

  /// A copy of what only the coordinator's disk has, as of a checkpoint.
  private struct CoordinatorCopy {
    let checkpoint: CheckpointCommit
    let run: StoredRun
    let best: SavedModel?
    let manifests: [String: CheckpointCommit]
  }

  // MARK: Records

  mutating func begin(_ progress: RunProgress) {
    run = StoredRun(
      identity: RunIdentity(id: "simulated", created: "", configuration: "", digests: [:]),
      progress: progress, message: "", epochs: [], evaluations: [], checkpoints: [])
  }

  /// Raises the term, before the new coordinator sends its first message.
  mutating func raiseTerm() -> UInt64 {
    run?.progress.term += 1
    return run?.progress.term ?? 1
  }

  /// Whether no later coordinator has taken the run over.
  func isInCharge(_ term: UInt64) -> Bool { term >= run?.progress.term ?? 0 }

  /// - Parameter obeysTerms: false to accept records of coordinators that are not in charge.
  /// - Returns: false if another coordinator has taken over.
  mutating func record(_ record: RunRecord, obeysTerms: Bool) -> Bool {
    guard isInCharge(record.progress.term) || !obeysTerms else { return false }
    run?.apply(record)
    return true
  }

  // MARK: Checkpoints

  /// What a server reports when its rows are written.
  func shard(_ snapshot: ServerSnapshot) -> CheckpointShard {
    let rank = UInt32(snapshot.rank)
    let file = "v\(snapshot.version)-g\(snapshot.generation)/server-\(rank)"
    return CheckpointShard(
      generation: snapshot.generation, version: snapshot.version, rank: rank, file: file,
      byteCount: 1, digest: file)
  }

  mutating func write(_ snapshot: ServerSnapshot, of slot: Slot) {
    files[shard(snapshot).file] = ShardFile(snapshot: snapshot)
    holders[shard(snapshot).file] = [slot]
  }

  /// A file is on the disk of one more server, unless it was deleted meanwhile.
  mutating func copy(_ file: String, to slot: Slot) {
    if files[file] != nil { holders[file, default: []].insert(slot) }
  }

  /// The servers on whose disks the file of a rank is; none if there is no such checkpoint.
  func holders(ofRank rank: UInt32, in manifest: String) -> (file: String, slots: Set<Slot>)? {
    manifests[manifest]?.shards.first { $0.rank == rank }.map { ($0.file, holders[$0.file] ?? []) }
  }

  /// The disk of a server is lost, and with it the files of which there is no copy.
  ///
  /// - Returns: the newest checkpoint, if it lost a file.
  mutating func lose(_ slot: Slot) -> String? {
    let wasWhole = newestFirst.first.map { isComplete($0.value) } ?? false
    copies[slot] = nil
    for file in files.keys {
      holders[file]?.remove(slot)
      if holders[file]?.isEmpty == true { files[file] = nil }
    }
    guard wasWhole, let newest = newestFirst.first, !isComplete(newest.value) else { return nil }
    return newest.key
  }

  // MARK: The coordinator's disk

  /// The records, the best model and the manifests are copied to a server's disk, with the manifest
  /// of a checkpoint that is about to be committed; nil: of the newest one.
  mutating func copyRecords(asOf commit: CheckpointCommit?, to slot: Slot) {
    guard let run, let checkpoint = commit ?? newestFirst.first?.value else { return }
    var copied = manifests
    copied[Self.manifest(of: checkpoint)] = checkpoint
    copies[slot] = CoordinatorCopy(
      checkpoint: checkpoint, run: run, best: best, manifests: copied)
  }

  /// The coordinator's disk is lost. What servers' disks have takes its place, under a higher
  /// generation, as `LostRecords` does.
  ///
  /// - Returns: what is lost with it, if that is more than what came after the newest checkpoint.
  mutating func loseRecords() -> String? {
    guard let lost = run, let newest = newestFirst.first else { return nil }
    let found = copies.values.max {
      ($0.checkpoint.generation, $0.checkpoint.version)
        < ($1.checkpoint.generation, $1.checkpoint.version)
    }
    guard let found else { return "the records of the run" }
    run = found.run
    run?.progress.term = lost.progress.term
    run?.progress.generation = lost.progress.generation + 1
    best = found.best
    manifests = found.manifests.filter { isComplete($0.value) }
    return manifests[newest.key] == nil ? "the checkpoint \(newest.key)" : nil
  }

  /// The files with rows on a server's disk.
  func rows(on slot: Slot) -> [HeldRows] {
    files.filter { holders[$0.key]?.contains(slot) == true && !$0.value.isDamaged }.map {
      HeldRows(
        generation: $0.value.snapshot.generation, version: $0.value.snapshot.version,
        rank: UInt32($0.value.snapshot.rank), digest: $0.key)
    }
  }

  /// The checkpoints with manifests, the newest first.
  var listed: [ListedCheckpoint] {
    newestFirst.map { manifest, commit in
      ListedCheckpoint(
        restored: RestoredCheckpoint(manifest: manifest, version: commit.version),
        name: .init(generation: commit.generation, version: commit.version),
        rows: commit.shards.map {
          HeldRows(
            generation: $0.generation, version: $0.version, rank: $0.rank, digest: $0.digest)
        })
    }
  }

  /// All copies of a file of the newest checkpoint are damaged, if there is an older one.
  mutating func damageCopies() {
    guard manifests.count > 1, let shard = newestFirst.first?.value.shards.last else { return }
    files[shard.file]?.isDamaged = true
  }

  /// Whether the files of all servers exist.
  func isComplete(_ commit: CheckpointCommit) -> Bool {
    commit.shards.allSatisfy { files[$0.file] != nil }
  }

  /// Deletes files, except those of a committed checkpoint.
  mutating func discard(_ shards: [CheckpointShard]) {
    let kept = Set(manifests.values.flatMap(\.shards).map(\.file))
    for shard in shards where !kept.contains(shard.file) { files[shard.file] = nil }
  }

  mutating func commit(_ commit: CheckpointCommit) -> CommittedCheckpoint {
    let manifest = Self.manifest(of: commit)
    manifests[manifest] = commit
    committed.insert(manifest)
    let kept = newestFirst.prefix(Self.keptCount)
    for (name, old) in manifests where !kept.contains(where: { $0.key == name }) {
      manifests[name] = nil
      for shard in old.shards { files[shard.file] = nil }
    }
    return CommittedCheckpoint(
      version: commit.version, generation: commit.generation, epoch: commit.epoch,
      manifest: manifest, created: "")
  }

  /// The manifest of a coordinator that was killed meanwhile arrives at the object store.
  ///
  /// - Returns: false if the coordinator had committed the checkpoint before it was killed.
  mutating func arrive(_ commit: CheckpointCommit) -> Bool {
    let manifest = Self.manifest(of: commit)
    guard committed.insert(manifest).inserted else { return false }
    manifests[manifest] = commit
    return true
  }

  private static func manifest(of commit: CheckpointCommit) -> String {
    "v\(commit.version)-g\(commit.generation)/manifest"
  }

  /// As `CheckpointName` orders them: a manifest that arrives late may have a higher version than
  /// all of the newest generation.
  private var newestFirst: [(key: String, value: CheckpointCommit)] {
    manifests.sorted {
      ($0.value.generation, $0.value.version) > ($1.value.generation, $1.value.version)
    }
  }

  /// The newest checkpoint whose files all exist and are undamaged.
  var latestUsable: RestoredCheckpoint? {
    newestFirst.first { snapshots(of: $0.key) != nil }
      .map { RestoredCheckpoint(manifest: $0.key, version: $0.value.version) }
  }

  /// Whether there are any checkpoints, damaged or not.
  var hasCheckpoints: Bool { !manifests.isEmpty }

  var isNewestDamaged: Bool { newestFirst.first?.key != latestUsable?.manifest }

  /// The rows of a checkpoint; nil if a file is missing or damaged.
  func snapshots(of manifest: String) -> [ServerSnapshot]? {
    guard let commit = manifests[manifest] else { return nil }
    let found = commit.shards.compactMap { files[$0.file] }
    guard found.count == commit.shards.count, !found.contains(where: \.isDamaged) else {
      return nil
    }
    return found.map(\.snapshot)
  }

  /// Damages a file of the newest checkpoint.
  mutating func damageNewest() {
    guard let newest = newestFirst.first?.value, let shard = newest.shards.last else { return }
    files[shard.file]?.isDamaged = true
  }
}

/// A checkpoint in memory: the rows of all servers that wrote it.
struct SnapshotSource: CheckpointSource {
  let snapshots: [ServerSnapshot]

  var version: UInt64 { snapshots.first?.version ?? 0 }

  let optimizer: OptimizerDescription

  var epochSums: [UnitReport] { snapshots.first { $0.rank == 0 }?.epochSums ?? [] }

  func readRows(
    of table: TableShape, where isWanted: (_ row: UInt32) -> Bool,
    _ body: (StoredRows) throws -> Void
  ) throws {
    for snapshot in snapshots {
      guard let rows = snapshot.tables.first(where: { $0.shape == table }) else {
        throw SimulationError(description: "Table '\(table.name)' is not in the checkpoint.")
      }
      var ids: [UInt32] = []
      rows.forEachRow { ids.append($0) }
      let updates = ids.indices.map { rows.lastUpdate(at: $0) }
      let parts = table.layout.parts.enumerated().map { number, part in
        [UInt8](unsafeUninitializedCapacity: ids.count * part.byteCount) { buffer, count in
          if let base = buffer.baseAddress {
            rows.copy(part: number, ofRowsAt: ids.indices, to: base)
          }
          count = ids.count * part.byteCount
        }
      }
      try Self.withPointers(parts) { pointers in
        try ids.withUnsafeBufferPointer { ids in
          try updates.withUnsafeBufferPointer { updates in
            try body(
              StoredRows(
                ids: ids, parts: pointers,
                lastUpdates: table.layout.tracksUpdates ? updates.baseAddress : nil))
          }
        }
      }
    }
  }

  private static func withPointers(
    _ parts: [[UInt8]], _ collected: [UnsafeRawPointer] = [],
    _ body: ([UnsafeRawPointer]) throws -> Void
  ) throws {
    guard let first = parts.first else { return try body(collected) }
    try first.withUnsafeBytes { buffer in
      guard let base = buffer.baseAddress else { return }
      try withPointers(Array(parts.dropFirst()), collected + [base], body)
    }
  }
}
