import Checkpoints
import Configuration
import Datasets
import Foundation
import ParameterServer
import Recommenders
import Runtime
import Settings
import Tables

/// The memory of the processes of a run, part by part, and the disk that its checkpoints take.
///
/// Tables, indices, features and interactions are counted as the code allocates or maps them. What
/// a worker's step takes is measured on small data. The program itself is what the process that
/// makes the estimate takes.
package struct MemoryNeeds: Sendable, Equatable {
  /// A part of a process's memory.
  package struct Part: Sendable, Equatable, Encodable {
    package let name: String
    package let bytes: Int
    /// Whether it is a file that is mapped: shared by the processes of a machine, and given back
    /// when memory is short.
    package let isMapped: Bool

    enum CodingKeys: String, CodingKey {
      case name, bytes
      case isMapped = "mapped"
    }
  }

  /// One kind of process.
  package struct Process: Sendable, Equatable, Encodable {
    /// Such as `worker`.
    package let role: String
    package let count: Int
    package let parts: [Part]

    /// Bytes of all parts.
    package var resident: Int { parts.reduce(0) { $0 + $1.bytes } }
    /// Bytes that no other process shares and the system cannot take back.
    package var own: Int { parts.reduce(0) { $0 + ($1.isMapped ? 0 : $1.bytes) } }
  }

  /// The part of a server's memory that its rows take.
  static let tablesName = "tables"

  package let processes: [Process]
  /// Bytes of mapped files, once for all processes of a machine.
  package let mapped: Int
  /// Bytes of a checkpoint: the files of all servers.
  package let checkpoint: Int
  /// Bytes on disk while the newest checkpoint is written and the older ones are kept, in each
  /// copy, and for the best model, of which the one before stays until it is replaced.
  package let disk: Int

  /// Bytes of all processes together, mapped files once.
  package var total: Int { processes.reduce(mapped) { $0 + $1.own * $1.count } }

  /// - Parameters:
  ///   - program: bytes of a process that has loaded nothing.
  /// - Throws: `CheckpointError` for tables that no checkpoint can hold.
  package init(
    _ size: RunSize, _ traffic: StepTraffic, _ calibration: Calibration, program: Int
  ) throws {
    let servers = ServerMemory(size, traffic, calibration.shape)
    let data = DataMemory(size)
    let model = size.tables.reduce(0) { $0 + $1.rows * $1.width * MemoryLayout<Float>.stride }
    let base = Part(name: "program", bytes: program + Self.processBytes, isMapped: false)
    let files = [
      Part(name: "interactions", bytes: data.interactions, isMapped: true),
      Part(name: "features", bytes: data.features, isMapped: true),
    ].filter { $0.bytes > 0 }
    processes = [
      Process(role: "launcher", count: 1, parts: [base] + files + data.own),
      Process(
        role: "coordinator", count: 1,
        parts: [base] + files + data.own
          + [
            Part(name: "records", bytes: Self.recordBytes, isMapped: false),
            Part(
              name: "pieces of the best model", bytes: min(model, Self.modelPieceBytes),
              isMapped: false),
          ]),
      Process(role: "server", count: size.servers, parts: [base] + servers.parts),
      Process(
        role: "worker", count: size.workers,
        parts: [base] + files + data.own
          + WorkerMemory(size, traffic, calibration).parts),
    ]
    mapped = files.reduce(0) { $0 + $1.bytes }
    checkpoint = try servers.checkpointBytes()
    let keys = size.configuration.checkpoints
    let kept = keys.keep + 1
    let writes = keys.epochs > 0 || keys.steps > 0
    disk = (writes ? checkpoint * kept * keys.copies : 0) + 2 * model
  }

  /// Counted in running processes: log, network and telemetry of each.
  private static let processBytes = 10 << 20
  /// Counted in running coordinators: the records of the run.
  private static let recordBytes = 12 << 20
  /// Pieces of 8 MiB are received, decoded, assembled and written at the same time.
  private static let modelPieceBytes = 4 * 8 << 20
}

/// The memory of the server with most rows.
private struct ServerMemory {
  let size: RunSize
  let traffic: StepTraffic
  private let shape: StepShape
  private let places: TablePlaces
  private let layouts: [RowLayout]

  /// The copies in proportion to the rows that steps change, for checkpoints in a folder: twice
  /// what was measured with 10^7 users. In an object store all rows may be copied.
  private static let copiedShare = 0.25

  init(_ size: RunSize, _ traffic: StepTraffic, _ shape: StepShape) {
    self.size = size
    self.traffic = traffic
    self.shape = shape
    places = TablePlaces(size.tables, serverCount: size.servers)
    let optimizer = OptimizerConfiguration(size.configuration).description
    layouts = size.tables.map { optimizer.layout(width: $0.width, rule: $0.rule) }
  }

  private func memory(_ server: Int) -> (rows: Int, index: Int) {
    size.tables.indices.reduce(into: (0, 0)) { sum, table in
      let memory = TableMemory(
        size.tables[table], layout: layouts[table],
        rowCount: Int(places.rows[table][server].rounded()))
      sum.0 += memory.rowBytes
      sum.1 += memory.indexBytes
    }
  }

  var parts: [MemoryNeeds.Part] {
    let memories = (0..<size.servers).map(memory)
    let largest = memories.max { $0.rows < $1.rows } ?? (0, 0)
    let keys = size.configuration.checkpoints
    // While a checkpoint is written, blocks of rows that training changes are there twice, until
    // they are on disk: a share, or all blocks with a row of one step if those are more.
    let share =
      keys.folder.hasPrefix("s3://") ? 1 : max(Self.copiedShare, shareOfBlocksInAStep)
    let writes = keys.epochs > 0 || keys.steps > 0
    let copies = writes ? Int(share * Double(trainedRowBytes(largest.rows))) : 0
    return [
      MemoryNeeds.Part(name: MemoryNeeds.tablesName, bytes: largest.rows, isMapped: false),
      MemoryNeeds.Part(name: "table index", bytes: largest.index, isMapped: false),
      MemoryNeeds.Part(
        name: "copy while a checkpoint is written", bytes: copies, isMapped: false),
      // The contributions of all shards to a version wait for the last one, and the replies until
      // they are sent.
      MemoryNeeds.Part(
        name: "messages",
        bytes: Int(traffic.server.both.bytes / Double(size.roundsPerStep)), isMapped: false),
    ]
  }

  /// The part of the trained tables' bytes that is in blocks with a row that one step changes.
  private var shareOfBlocksInAStep: Double {
    let batch = size.rows(share: 1)
    var (all, changed) = (0.0, 0.0)
    for (index, (table, layout)) in zip(size.tables, layouts).enumerated()
    where table.rule != .assigned {
      let rows =
        shape.versions.map { version in
          version.push.first { $0.table == index }?
            .selected.count(rows: table.rows, part: batch, shards: 1) ?? 0
        }.max() ?? 0
      let bytes = Double(table.rows * layout.byteCount)
      // Rows are spread over the blocks by their ids.
      let ofServer = max(1, table.rows / size.servers)
      let rowsOfBlock = Double(min(ofServer, TableStore.rowsPerBlock(of: layout)))
      all += bytes
      changed += bytes * (1 - pow(1 - min(1, rows / Double(table.rows)), rowsOfBlock))
    }
    return all > 0 ? changed / all : 0
  }

  /// The part of the rows' bytes that steps change: not the final vectors, which are written
  /// between epochs.
  private func trainedRowBytes(_ rows: Int) -> Int {
    let all = zip(size.tables, layouts).reduce(0) { $0 + $1.0.rows * $1.1.byteCount }
    let trained = zip(size.tables, layouts).reduce(0) {
      $0 + ($1.0.rule == .assigned ? 0 : $1.0.rows * $1.1.byteCount)
    }
    return Int(Double(rows) * Double(trained) / Double(max(1, all)))
  }

  func checkpointBytes() throws -> Int {
    let optimizer = OptimizerConfiguration(size.configuration).description.name
    return try (0..<size.servers).reduce(0) { sum, server in
      let tables = zip(size.tables, layouts).enumerated().map { table, pair in
        (
          shape: TableShape(name: pair.0.name, rows: pair.0.rows, layout: pair.1),
          rowCount: Int(places.rows[table][server].rounded())
        )
      }
      return sum
        + (try ShardSize.byteCount(
          of: tables, rank: server, serverCount: size.servers, optimizer: optimizer))
    }
  }
}

/// The memory of a data set in a process that trains or plans.
private struct DataMemory {
  /// Bytes of the file of interactions, mapped.
  let interactions: Int
  /// Bytes of the files of features, mapped.
  let features: Int
  /// Numbers per user or item in memory.
  let own: [MemoryNeeds.Part]

  init(_ size: RunSize) {
    interactions = PreparedSize.byteCount(
      users: size.users, train: size.interactions, heldOut: size.heldOut)
    features = size.modalities.reduce(0) { $0 + size.items * $1.columns * $1.bytesPerValue }
    own = [
      // The items that negatives are drawn from, and whether an item occurs, while it loads.
      MemoryNeeds.Part(name: "items that occur", bytes: size.items * 5, isMapped: false)
    ]
  }
}

/// What a worker needs beyond the data.
private struct WorkerMemory {
  let parts: [MemoryNeeds.Part]

  init(_ size: RunSize, _ traffic: StepTraffic, _ calibration: Calibration) {
    let last = calibration.steps[calibration.steps.count - 1]
    let step =
      calibration.steps.count > 1
      ? ProcessorSeconds.line(size, calibration.steps, \.workerMemory) : last.workerMemory
    let final = size.tables[size.finalTables.item]
    let items = final.rows * final.width * MemoryLayout<Float>.stride
    let lanes = ComputingThreads(size.configuration).perWorker
    let placement = size.tables.reduce(0) { $0 + $1.rows / $1.rowsPerBlock * 2 }
    parts = [
      MemoryNeeds.Part(
        name: "a step", bytes: calibration.firstBytes + Int(step), isMapped: false),
      MemoryNeeds.Part(name: "placement of rows", bytes: placement, isMapped: false),
      // Those of a version, at the network and at the computation, and the next ones.
      MemoryNeeds.Part(
        name: "messages", bytes: Int(traffic.worker.both.bytes * 3 / Double(size.roundsPerStep)),
        isMapped: false),
      MemoryNeeds.Part(
        name: "evaluation: final vectors of the items", bytes: items, isMapped: false),
      // Pulled in pieces of 16 MiB: the message, and the rows decoded from it.
      MemoryNeeds.Part(
        name: "evaluation: messages and scores",
        bytes: 2 * min(items, 16 << 20) + lanes * (128 * min(final.rows, 8192) * 4),
        isMapped: false),
    ]
  }
}
