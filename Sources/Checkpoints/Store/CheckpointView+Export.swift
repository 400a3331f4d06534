import ParameterServer

extension CheckpointView {
  /// A matrix that training goes on from: the weights of a table, or a part of its optimizer's
  /// state.
  public struct Parameters: Sendable, Equatable {
    /// The table's name `T`, or that of one of its states, such as `T/exp_avg`.
    public let name: String
    public let rows: Int
    public let columns: Int
    let table: CheckpointManifest.Table
    /// 0 for weights, then state.
    let part: Int
  }

  /// Everything there is to export, without tables that are assigned.
  ///
  /// - Parameter withState: also the optimizer's state.
  public func parameters(withState: Bool = false) -> [Parameters] {
    manifest.tables.filter { !$0.isAssigned }.flatMap { table in
      let parts = ShardLayout.parts(of: shape(of: table), rowCount: table.rows)
      return parts.prefix(withState ? parts.count : 1).enumerated().map { part, tensor in
        Parameters(
          name: tensor.name, rows: table.rows, columns: tensor.shape[1], table: table, part: part)
      }
    }
  }

  /// Gives away the rows of a matrix in the order of their ids, as the step after the checkpoint
  /// reads them. Takes a few megabytes of memory.
  ///
  /// - Throws: ``CheckpointError`` if a file cannot be read or lacks rows, and what `body` throws.
  public func readRows(
    of parameters: Parameters, _ body: (UnsafeBufferPointer<Float>) throws -> Void
  ) throws {
    let windows = try TableWindows(
      of: parameters.table, in: self, windowRows: windowRows(of: parameters.table))
    let offset = shape(of: parameters.table).layout.parts[parameters.part].lowerBound
    while let window = try windows.next() {
      for row in 0..<window.rows.count {
        try body(
          UnsafeBufferPointer(
            start: window.values + row * window.stride + offset, count: parameters.columns))
      }
    }
  }

  /// Writes all parameters into one safetensors file, as F32 `[rows, width]` each, without tables
  /// that are assigned.
  ///
  /// - Parameter withState: also the optimizer's states, such as `T/exp_avg` of a table `T`.
  /// - Throws: ``CheckpointError`` if a file cannot be read, lacks rows, or cannot be written;
  ///   there is no file at `path` then, or the one that was there.
  public func export(to path: String, withState: Bool = false) throws {
    let parts = parameters(withState: withState)
    let writer = try SafetensorsWriter(
      path: path,
      tensors: parts.map { .init(name: $0.name, rows: $0.rows, columns: $0.columns) },
      metadata: [
        "format": "mrdib-parameters-1", "run": manifest.runID, "epoch": "\(manifest.epoch)",
        "version": "\(manifest.version)",
      ])
    for part in parts { try readRows(of: part) { try writer.append($0) } }
    try writer.finish()
  }
}
