import CKernels
import Protocol

/// Adds rows of gradients over all shards, row by row in shard order.
enum GradientRowSum {
  /// Refuses rows that cannot be added: sections or keys that do not ascend, rows of another width
  /// than other shards gave, or values that are not finite. Sizes of frames were checked when the
  /// message was read.
  ///
  /// - Parameter widths: of the matrices, as far as other shards have rows of them.
  static func check(_ rows: GradientRows, widths: [UInt32: UInt32]) throws(Refusal) {
    var previous: UInt32?
    var start = 0
    for section in rows.sections {
      if let previous, section.table <= previous {
        throw Refusal(
          code: .malformed,
          message: "the rows of matrix \(section.table) follow those of matrix \(previous)")
      }
      previous = section.table
      if let width = widths[section.table], width != section.width {
        throw Refusal(
          code: .malformed,
          message: """
            rows of matrix \(section.table) have width \(section.width), but other shards gave \
            \(width); all workers must run the same release and configuration
            """)
      }
      try checkAscending(rows.keys, from: start, section)
      start += Int(section.rowCount)
    }
    let count = rows.values.count(of: Float.self)
    let position = rows.values.withUnsafeBytes { bytes in
      bytes.baseAddress.map { mrdib_first_nonfinite($0, count) } ?? count
    }
    guard position < count else { return }
    throw Refusal(
      code: .diverged,
      message: """
        value \(position) of the gradients of propagated rows is \
        \(rows.values.load(Float.self, at: position)); the computation diverged: lower the \
        learning rate or check the input features
        """)
  }

  private static func checkAscending(
    _ keys: Payload, from start: Int, _ section: TableSection
  ) throws(Refusal) {
    for index in start..<start + max(0, Int(section.rowCount) - 1) {
      let (key, next) = (
        keys.load(UInt32.self, at: index), keys.load(UInt32.self, at: index + 1)
      )
      guard next > key else {
        throw Refusal(
          code: .malformed,
          message: """
            row \(next) follows row \(key) in matrix \(section.table) of a reduction; send rows in \
            ascending order, each once
            """)
      }
    }
  }

  /// The sums of the rows that any shard has.
  ///
  /// - Parameter shares: of the shards, in their order; each has passed ``check(_:)``.
  static func sum(_ shares: [GradientRows]) -> GradientRows {
    let tables = Set(shares.flatMap { $0.sections.map(\.table) }).sorted()
    guard !tables.isEmpty else { return .none }
    var sections: [TableSection] = []
    var keys: [UInt32] = []
    var values: [Float] = []
    for table in tables {
      let parts = shares.compactMap { Part(of: table, in: $0) }
      let width = parts.first?.width ?? 0
      let present = rows(of: parts)
      let first = values.count
      values.append(contentsOf: repeatElement(0, count: present.count * width))
      values.withUnsafeMutableBufferPointer { buffer in
        guard let base = buffer.baseAddress else { return }
        for part in parts { part.add(to: base + first, rows: present) }
      }
      keys += present
      sections.append(
        TableSection(
          table: table, rowCount: UInt32(present.count), width: UInt32(width), isWhole: false))
    }
    return GradientRows(
      sections: sections, keys: Payload.copying(keys), values: Payload.copying(values))
  }

  /// The rows of any part, ascending.
  private static func rows(of parts: [Part]) -> [UInt32] {
    let all = parts.flatMap(\.keys).sorted()
    var distinct: [UInt32] = []
    distinct.reserveCapacity(all.count)
    for key in all where distinct.last != key { distinct.append(key) }
    return distinct
  }

  /// A shard's rows of one matrix.
  private struct Part {
    let keys: [UInt32]
    let width: Int
    private let values: Payload
    private let valueStart: Int

    init?(of table: UInt32, in rows: GradientRows) {
      var (keyStart, valueStart) = (0, 0)
      for section in rows.sections {
        let (count, width) = (Int(section.rowCount), Int(section.width))
        if section.table == table {
          let first = keyStart
          keys = (0..<count).map { rows.keys.load(UInt32.self, at: first + $0) }
          self.width = width
          self.valueStart = valueStart
          values = rows.values
          return
        }
        keyStart += count
        valueStart += count * width
      }
      return nil
    }

    /// Adds each row to the one with its key.
    ///
    /// - Parameters:
    ///   - sums: `[rows.count, width]`.
    ///   - rows: the keys of `sums`, ascending; they contain this part's.
    func add(to sums: UnsafeMutablePointer<Float>, rows: [UInt32]) {
      values.withUnsafeBytes { bytes in
        guard let base = bytes.baseAddress else { return }
        var source = base + valueStart * MemoryLayout<Float>.stride
        var target = 0
        for key in keys {
          while rows[target] != key { target += 1 }
          mrdib_add(sums + target * width, source, width)
          source += width * MemoryLayout<Float>.stride
        }
      }
    }
  }
}
