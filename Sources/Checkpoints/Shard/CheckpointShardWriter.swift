import Files
import ParameterServer
import Protocol

/// Writes the checkpoint files of one server.
package struct CheckpointShardWriter: Sendable {
  private let storage: any CheckpointStorage
  private let configurationDigest: String
  private let mostBytesInMemory: Int
  private let isWanted: @Sendable () -> Bool

  /// - Parameters:
  ///   - store: the store of the run's checkpoints.
  ///   - configurationDigest: the digest of the run's configuration.
  ///   - mostBytesInMemory: of a table's states while its weights are written.
  ///   - isWanted: asked before each piece; once it is false, no more is written.
  package init(
    _ store: CheckpointStore, configurationDigest: String, mostBytesInMemory: Int = 32 << 20,
    isWanted: @escaping @Sendable () -> Bool = { true }
  ) {
    storage = store.storage
    self.configurationDigest = configurationDigest
    self.mostBytesInMemory = mostBytesInMemory
    self.isWanted = isWanted
  }

  /// Writes the file of a server completely and durably, or not at all. Blocks while the disk
  /// writes; uses a few megabytes of memory. In a folder, rows of the snapshot are released as they
  /// are written: a snapshot is written once.
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

  /// Appends the weights of a table, then states and numbers of updates, then ids.
  ///
  /// The table is read once: while the weights are written, what follows them is put aside, and the
  /// rows are released.
  private func append(
    _ table: TableSnapshot, of file: String, to writer: SafetensorsWriter
  ) throws(CheckpointError) {
    let shape = table.shape
    let buffer = RowBuffer(shape, atMost: table.rowCount)
    let chunks = stride(from: 0, to: table.rowCount, by: buffer.capacity).map {
      $0..<min($0 + buffer.capacity, table.rowCount)
    }
    let parts = shape.layout.parts
    let aside = try RowsAside(
      widths: parts.dropFirst().map(\.byteCount) + (shape.layout.tracksUpdates ? [4] : []),
      rowCount: table.rowCount, in: storage.localFolder, mostBytesInMemory: mostBytesInMemory)
    for chunk in chunks {
      try check(file)
      try writer.append(copy(0, of: table, at: chunk, to: buffer))
      guard aside.hasRows else { continue }
      for part in parts.indices.dropFirst() {
        try aside.put(copy(part, of: table, at: chunk, to: buffer))
      }
      if shape.layout.tracksUpdates {
        try aside.put(copyUpdates(of: table, at: chunk, to: buffer))
      }
      table.release(rowsBefore: chunk.upperBound)
    }
    // After the states, the numbers of updates.
    let last = shape.layout.tracksUpdates ? parts.count : parts.count - 1
    for part in 1..<last + 1 {
      for chunk in chunks {
        try check(file)
        if aside.hasRows {
          try aside.read(part: part - 1, of: chunk, writer.append)
        } else if part < parts.count {
          try writer.append(copy(part, of: table, at: chunk, to: buffer))
        } else {
          try writer.append(copyUpdates(of: table, at: chunk, to: buffer))
        }
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

  private func copy(
    _ part: Int, of table: TableSnapshot, at chunk: Range<Int>, to buffer: RowBuffer
  ) -> UnsafeRawBufferPointer {
    table.copy(part: part, ofRowsAt: chunk, to: buffer.parts[part])
    return UnsafeRawBufferPointer(
      start: buffer.parts[part],
      count: chunk.count * table.shape.layout.parts[part].byteCount)
  }

  private func copyUpdates(
    of table: TableSnapshot, at chunk: Range<Int>, to buffer: RowBuffer
  ) -> UnsafeRawBufferPointer {
    for (offset, position) in chunk.enumerated() {
      buffer.lastUpdates[offset] = table.lastUpdate(at: position)
    }
    return UnsafeRawBufferPointer(start: buffer.lastUpdates, count: chunk.count * 4)
  }

  private func check(_ file: String) throws(CheckpointError) {
    guard isWanted() else {
      throw CheckpointError(
        .inputOutput,
        "Cannot write '\(storage.path(of: file))': it is not wanted any more.")
    }
  }
}
