extension CheckpointView {
  /// Writes all parameters into one safetensors file, as F32 `[rows, width]` each, without
  /// optimizer state and without tables that are assigned. Takes a few megabytes of memory.
  ///
  /// - Throws: ``CheckpointError`` if a file cannot be read, lacks rows, or cannot be written;
  ///   there is no file at `path` then, or the one that was there.
  public func export(to path: String) throws(CheckpointError) {
    let tables = manifest.tables.filter { $0.rule != "assigned" }
    let writer = try SafetensorsWriter(
      path: path,
      tensors: tables.map { .init(name: $0.name, rows: $0.rows, columns: $0.width) },
      metadata: [
        "format": "mrdib-parameters-1", "run": manifest.runID, "epoch": "\(manifest.epoch)",
        "version": "\(manifest.version)",
      ])
    for table in tables {
      let windows = try TableWindows(of: table, in: self, windowRows: windowRows(of: table))
      while let window = try windows.next() {
        for row in 0..<window.rows.count {
          try writer.append(
            UnsafeBufferPointer(start: window.values + row * window.stride, count: table.width))
        }
      }
    }
    try writer.finish()
  }
}
