import Files
import ParameterServer
import Protocol

/// Writes the checkpoint files of one server.
package struct CheckpointShardWriter: Sendable {
  private let storage: any CheckpointStorage
  private let configurationDigest: String
  private let isWanted: @Sendable () -> Bool

  /// - Parameters:
  ///   - store: the store of the run's checkpoints.
  ///   - configurationDigest: the digest of the run's configuration.
  ///   - isWanted: asked before each piece; once it is false, no more is written.
  package init(
    _ store: CheckpointStore, configurationDigest: String,
    isWanted: @escaping @Sendable () -> Bool = { true }
  ) {
    storage = store.storage
    self.configurationDigest = configurationDigest
    self.isWanted = isWanted
  }

  /// Writes the file of a server completely and durably, or not at all. Blocks while the disk
  /// writes; uses a few megabytes of memory.
  ///
  /// - Throws: ``CheckpointError``.
  package func write(_ snapshot: ServerSnapshot) throws(CheckpointError) -> CheckpointShard {
    let name = CheckpointName(generation: snapshot.generation, version: snapshot.version)
    let file =
      "\(name.folder)/"
      + CheckpointName.shardFile(rank: snapshot.rank, serverCount: snapshot.serverCount)
    let writer = try SafetensorsWriter(
      path: storage.path(of: file),
      tensors: snapshot.tables.flatMap { ShardLayout.tensors(of: $0.shape, rowCount: $0.rowCount) },
      metadata: try metadata(snapshot, name: name)
    ) { (byteCount) throws(CheckpointError) in
      try storage.writer(of: file, in: name, byteCount: byteCount)
    }
    for table in snapshot.tables { try append(table, of: file, to: writer) }
    let written = try writer.finish()
    return CheckpointShard(
      generation: name.generation, version: name.version, rank: UInt32(snapshot.rank), file: file,
      byteCount: UInt64(written.byteCount), digest: written.digest)
  }

  private func metadata(
    _ snapshot: ServerSnapshot, name: CheckpointName
  ) throws(CheckpointError) -> [String: String] {
    var metadata = ShardLayout.metadata(
      run: snapshot.runID, name: name, rank: snapshot.rank, serverCount: snapshot.serverCount,
      optimizer: snapshot.optimizer.name, configurationDigest: configurationDigest)
    guard snapshot.rank == 0 else { return metadata }
    do {
      metadata[ShardLayout.Metadata.epochSums] = try EpochSumsText.encode(snapshot.epochSums)
    } catch {
      throw CheckpointError(.cannotCreate, "Cannot write the sums of the epoch: \(error).")
    }
    return metadata
  }

  private func append(
    _ table: TableSnapshot, of file: String, to writer: SafetensorsWriter
  ) throws(CheckpointError) {
    let shape = table.shape
    let buffer = RowBuffer(shape, atMost: table.rowCount)
    let chunks = stride(from: 0, to: table.rowCount, by: buffer.capacity).map {
      $0..<min($0 + buffer.capacity, table.rowCount)
    }
    for (number, part) in shape.layout.parts.enumerated() {
      for chunk in chunks {
        guard isWanted() else {
          throw CheckpointError(
            .inputOutput,
            "Cannot write '\(storage.path(of: file))': the run ended before it was complete.")
        }
        table.copy(part: number, ofRowsAt: chunk, to: buffer.parts[number])
        try writer.append(
          UnsafeRawBufferPointer(
            start: buffer.parts[number], count: chunk.count * part.byteCount))
      }
    }
    if shape.layout.tracksUpdates {
      for chunk in chunks {
        for (offset, position) in chunk.enumerated() {
          buffer.lastUpdates[offset] = table.lastUpdate(at: position)
        }
        try writer.append(UnsafeBufferPointer(start: buffer.lastUpdates, count: chunk.count))
      }
    }
    var count = 0
    try table.forEachRow { (row) throws(CheckpointError) in
      buffer.ids[count] = row
      count += 1
      guard count == buffer.capacity else { return }
      count = 0
      try writer.append(UnsafeBufferPointer(start: buffer.ids, count: buffer.capacity))
    }
    try writer.append(UnsafeBufferPointer(start: buffer.ids, count: count))
  }
}
