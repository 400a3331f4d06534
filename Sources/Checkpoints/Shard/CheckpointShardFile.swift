import Files
import ParameterServer
import Protocol

/// Reads the file of one server of a checkpoint. Everything in the file is checked.
struct CheckpointShardFile {
  let rank: Int
  private let shard: CheckpointManifest.Shard
  private let tensors: SafetensorsFile

  var path: String { tensors.path }

  /// Reads the header.
  ///
  /// - Parameter storage: of all checkpoints.
  /// - Throws: ``CheckpointError``: `mismatch` if the file belongs to another checkpoint.
  init(
    _ manifest: CheckpointManifest, rank: Int, in storage: any CheckpointStorage
  ) throws(CheckpointError) {
    self.rank = rank
    shard = manifest.shards[rank]
    let tensors = try SafetensorsFile("\(manifest.name.folder)/\(shard.file)", in: storage)
    self.tensors = tensors
    let expected = ShardLayout.metadata(
      run: manifest.runID, name: manifest.name, rank: rank, serverCount: manifest.serverCount,
      optimizer: manifest.optimizer.name, configurationDigest: manifest.configurationDigest)
    for (key, value) in expected.sorted(by: { $0.key < $1.key }) {
      guard let found = tensors.header.metadata[key], found == value else {
        throw CheckpointError(
          .mismatch,
          "Cannot use '\(tensors.path)': its \(key) is "
            + "'\(tensors.header.metadata[key]?.sanitized() ?? "missing")', and by its manifest it "
            + "should be '\(value.sanitized())'; use another checkpoint.")
      }
    }
  }

  /// Compares the file's size and digest with the manifest.
  ///
  /// - Parameter progress: receives the number of bytes of every part that is read.
  func verifyDigest(progress: (Int) -> Void = { _ in }) throws(CheckpointError) {
    let digest = try FileContent.digest(
      of: open(), path: path, byteCount: shard.byteCount, progress: progress)
    guard digest == shard.digest else {
      throw .damaged(
        path, "its digest is \(digest), and the manifest has \(shard.digest.sanitized())")
    }
  }

  /// The epoch sums, which only the file of server 0 has.
  func epochSums() throws(CheckpointError) -> [UnitReport] {
    guard let text = tensors.header.metadata[ShardLayout.Metadata.epochSums],
      let sums = EpochSumsText.decode(text)
    else { throw .damaged(path, "it has no sums of the epoch") }
    return sums
  }

  /// The tensors of a table in the file.
  struct Table {
    let shape: TableShape
    let rowCount: Int
    fileprivate let parts: [SafetensorsHeader.Entry]
    fileprivate let updates: SafetensorsHeader.Entry?
    fileprivate let rows: SafetensorsHeader.Entry
  }

  /// A table that must have this shape.
  func table(_ shape: TableShape) throws(CheckpointError) -> Table {
    let name = ShardLayout.rowsName(of: shape.name)
    guard let rowCount = tensors.header.entries[name]?.tensor.shape.first else {
      throw .damaged(path, "it has no tensor '\(name.sanitized())'")
    }
    var parts: [SafetensorsHeader.Entry] = []
    for part in ShardLayout.parts(of: shape, rowCount: rowCount) {
      parts.append(try tensors.entry(part))
    }
    guard rowCount <= shape.rows else {
      throw .damaged(
        path, "it has \(rowCount) of the \(shape.rows) rows of '\(shape.name.sanitized())'")
    }
    return Table(
      shape: shape, rowCount: rowCount, parts: parts,
      updates: shape.layout.tracksUpdates
        ? try tensors.entry(ShardLayout.updates(of: shape, rowCount: rowCount)) : nil,
      rows: try tensors.entry(ShardLayout.rows(of: shape, rowCount: rowCount)))
  }

  /// Opens the file for several reads.
  func open() throws(CheckpointError) -> any ReadableFile { try tensors.open() }

  /// Reads the ids of rows into a buffer.
  ///
  /// - Parameter previous: the id before the first of them.
  /// - Throws: ``CheckpointError`` `damaged` unless they ascend within the table.
  func readIDs(
    of table: Table, at positions: Range<Int>, after previous: UInt32?, into buffer: RowBuffer,
    file: any ReadableFile
  ) throws(CheckpointError) {
    try tensors.read(
      table.rows, from: positions.lowerBound, count: positions.count, to: buffer.ids, file: file)
    var previous = previous
    for offset in 0..<positions.count {
      let id = buffer.ids[offset]
      guard id < table.shape.rows, previous.map({ $0 < id }) ?? true else {
        throw .damaged(
          path,
          "row \(id) of table '\(table.shape.name.sanitized())', which has \(table.shape.rows) "
            + "rows, follows "
            + "row \(previous.map { "\($0)" } ?? "none")")
      }
      previous = id
    }
  }

  /// Reads weights, states and update numbers of rows into a buffer.
  func readParts(
    of table: Table, at positions: Range<Int>, into buffer: RowBuffer, file: any ReadableFile
  ) throws(CheckpointError) {
    for (number, (entry, part)) in zip(table.parts, table.shape.layout.parts).enumerated() {
      try tensors.read(
        entry, from: positions.lowerBound * part.columns, count: positions.count * part.columns,
        to: buffer.parts[number], file: file)
    }
    if let updates = table.updates {
      try tensors.read(
        updates, from: positions.lowerBound, count: positions.count, to: buffer.lastUpdates,
        file: file)
    }
  }
}
