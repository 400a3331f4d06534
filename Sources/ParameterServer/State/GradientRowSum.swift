import CKernels
import Protocol
import Tensors

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
    try keys.withUnsafeBytes { (bytes) throws(Refusal) in
      func key(_ index: Int) -> UInt32 {
        bytes.loadUnaligned(fromByteOffset: index * MemoryLayout<UInt32>.stride, as: UInt32.self)
      }
      for index in start..<start + max(0, Int(section.rowCount) - 1) {
        guard key(index + 1) > key(index) else {
          throw Refusal(
            code: .malformed,
            message: """
              row \(key(index + 1)) follows row \(key(index)) in matrix \(section.table) of a \
              reduction; send rows in ascending order, each once
              """)
        }
      }
    }
  }

  /// The sums of the rows that any shard has.
  ///
  /// - Parameter shares: of the shards, in their order; each has passed ``check(_:)``.
  static func sum(_ shares: [GradientRows]) -> GradientRows {
    let tables = Set(shares.flatMap { $0.sections.map(\.table) }).sorted()
    let sums = tables.map { table in TableSum(shares.compactMap { Part(of: table, in: $0) }) }
    let values = Payload.make(Float.self, count: sums.reduce(0) { $0 + $1.valueCount }) { buffer in
      buffer.update(repeating: 0)
      guard var target = buffer.baseAddress else { return }
      for sum in sums {
        for part in sum.parts { part.add(to: target, rows: sum.rows) }
        target += sum.valueCount
      }
    }
    return GradientRows(
      sections: zip(tables, sums).map { table, sum in
        TableSection(
          table: table, rowCount: UInt32(sum.rows.count), width: UInt32(sum.width), isWhole: false)
      }, keys: Payload.copying(sums.flatMap(\.rows)), values: values)
  }

  /// The rows of one matrix.
  private struct TableSum {
    let parts: [Part]
    let width: Int
    /// The rows of any part, ascending.
    let rows: [UInt32]

    init(_ parts: [Part]) {
      self.parts = parts
      width = parts.first?.width ?? 0
      rows = AscendingUnion.of(parts.map(\.keys))
    }

    var valueCount: Int { rows.count * width }
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
          keys = [UInt32](unsafeUninitializedCapacity: count) { buffer, initialized in
            if let base = buffer.baseAddress {
              rows.keys.copy(UInt32.self, from: first, count: count, to: base)
            }
            initialized = count
          }
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
