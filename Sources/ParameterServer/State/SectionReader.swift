import CKernels
import Protocol
import Tables

/// A checked section of a request: rows of a table, and the place of their values.
struct SectionRows: Sendable {
  /// Position in the run's list of tables.
  let table: Int
  let rows: LocalRows
  let isWhole: Bool
  /// The index of the section's first number in the value frame.
  let valueStart: Int
}

/// Checks the sections of a request against the tables of this server. Every part of a request is
/// checked before anything is stored.
struct SectionReader {
  let tables: [TableStore]
  let rank: Int

  /// The rows that a pull requests.
  ///
  /// - Throws: a refusal `malformed` that names the section, the table and the key.
  func rows(_ sections: [TableSection], keys: Payload) throws(Refusal) -> [SectionRows] {
    // A whole section of a pull may have a row count of 0.
    try read(sections, keys: keys, countsWholeRows: false)
  }

  /// The rows of a push.
  ///
  /// - Throws: a refusal `malformed` that names the section, the table, and the key or the row;
  ///   `diverged` for a value that is not finite.
  func rows(
    _ sections: [TableSection], keys: Payload, values: Payload
  ) throws(Refusal) -> [SectionRows] {
    let rows = try read(sections, keys: keys, countsWholeRows: true)
    let count = rows.reduce(0) { $0 + $1.rows.count * tables[$1.table].spec.width }
    guard values.byteCount == count * MemoryLayout<Float>.stride else {
      throw malformed(
        """
        the sections describe \(count) values, but the value frame has \(values.byteCount) bytes \
        instead of \(count * MemoryLayout<Float>.stride)
        """)
    }
    for section in rows { try checkFinite(section, values) }
    return rows
  }

  private func read(
    _ sections: [TableSection], keys: Payload, countsWholeRows: Bool
  ) throws(Refusal) -> [SectionRows] {
    var result: [SectionRows] = []
    var isSeen = [Bool](repeating: false, count: tables.count)
    var keyStart = 0
    var valueStart = 0
    for section in sections {
      let table = try tableIndex(of: section)
      let store = tables[table]
      guard !isSeen[table] else {
        throw malformed("table '\(store.spec.name)' appears in two sections; send it in one")
      }
      isSeen[table] = true
      let rows: LocalRows
      if section.isWhole {
        guard section.rowCount == store.rowCount || (section.rowCount == 0 && !countsWholeRows)
        else {
          throw malformed(
            """
            the whole of table '\(store.spec.name)' has \(store.rowCount) rows on this server, but \
            the section has \(section.rowCount); sender and server place rows differently
            """)
        }
        rows = .whole(count: store.rowCount)
      } else {
        rows = .listed(try localIndices(section, of: store, keys: keys, from: keyStart))
        keyStart += Int(section.rowCount)
      }
      result.append(
        SectionRows(table: table, rows: rows, isWhole: section.isWhole, valueStart: valueStart))
      valueStart += rows.count * store.spec.width
    }
    guard keys.byteCount == keyStart * MemoryLayout<UInt32>.stride else {
      throw malformed(
        """
        the sections describe \(keyStart) keys, but the key frame has \(keys.byteCount) bytes \
        instead of \(keyStart * MemoryLayout<UInt32>.stride)
        """)
    }
    return result
  }

  private func tableIndex(of section: TableSection) throws(Refusal) -> Int {
    guard let table = Int(exactly: section.table), table < tables.count else {
      throw malformed("table \(section.table) is unknown; the run has \(tables.count) tables")
    }
    let spec = tables[table].spec
    guard Int(section.width) == spec.width else {
      throw malformed(
        """
        rows of table '\(spec.name)' have width \(spec.width), but the section has width \
        \(section.width)
        """
      )
    }
    return table
  }

  private func localIndices(
    _ section: TableSection, of store: TableStore, keys: Payload, from start: Int
  ) throws(Refusal) -> Payload {
    let name = store.spec.name
    let count = Int(section.rowCount)
    guard count <= store.rowCount else {
      throw malformed(
        "\(count) keys of table '\(name)', of which this server holds only \(store.rowCount) rows")
    }
    guard start + count <= keys.count(of: UInt32.self) else {
      throw malformed(
        """
        table '\(name)' needs keys \(start)..<\(start + count), but the key frame has only \
        \(keys.byteCount) bytes
        """)
    }
    var refusal: Refusal?
    let indices = Payload.make(UInt32.self, count: count) { indices in
      keys.withUnsafeBytes { keys in
        var previous: UInt32?
        for position in 0..<count {
          let key = keys.loadUnaligned(
            fromByteOffset: (start + position) * MemoryLayout<UInt32>.stride, as: UInt32.self)
          guard previous.map({ $0 < key }) ?? true, key < store.directory.tableRows,
            let index = store.directory.localIndex(ofRow: key)
          else {
            refusal = self.refusal(of: key, after: previous, in: store)
            return
          }
          indices[position] = index
          previous = key
        }
      }
    }
    if let refusal { throw refusal }
    return indices
  }

  /// Why a key cannot be used.
  private func refusal(of key: UInt32, after previous: UInt32?, in store: TableStore) -> Refusal {
    let name = store.spec.name
    if let previous, key <= previous {
      return malformed(
        """
        key \(key) follows key \(previous) in table '\(name)'; send keys in ascending order, \
        each once
        """)
    }
    guard key < store.directory.tableRows else {
      return malformed(
        "key \(key) is out of range: table '\(name)' has \(store.directory.tableRows) rows")
    }
    return malformed(
      """
      row \(key) of table '\(name)' is not on this server (rank \(rank)); sender and server \
      place rows differently
      """)
  }

  private func checkFinite(_ section: SectionRows, _ values: Payload) throws(Refusal) {
    let store = tables[section.table]
    let width = store.spec.width
    let count = section.rows.count * width
    let position = values.withUnsafeBytes { bytes in
      guard count > 0, let base = bytes.baseAddress else { return count }
      return mrdib_first_nonfinite(base + section.valueStart * MemoryLayout<Float>.stride, count)
    }
    guard position < count else { return }
    let index = section.rows.localIndex(at: position / width)
    throw Refusal(
      code: .diverged,
      message: """
        row \(store.directory.row(atLocalIndex: index)) of table '\(store.spec.name)' has the \
        value \(values.load(Float.self, at: section.valueStart + position)) in column \
        \(position % width); \
        the computation diverged: lower the learning rate or check the input features
        """)
  }

  private func malformed(_ message: String) -> Refusal {
    Refusal(code: .malformed, message: message)
  }
}
