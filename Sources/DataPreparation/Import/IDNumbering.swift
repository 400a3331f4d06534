import Datasets

/// Turns the ids of users or of items into those of the data set.
final class IDNumbering {
  private let role: ColumnRole
  /// nil if ids are kept as they are.
  private let table: IDTable?
  /// Which ids occur, as their bytes, if ids are kept. Not one bit per possible id: a single large
  /// id would take 256 MiB.
  private let occurring = IDTable()
  /// How many ids there are: with kept ids, one more than the largest.
  private(set) var count = 0

  init(_ role: ColumnRole, keepsIDs: Bool) {
    self.role = role
    table = keepsIDs ? nil : IDTable()
  }

  /// An id that is known to be usable, before it gets a number.
  struct Checked {
    /// nil if ids are kept.
    let key: IDTable.Key?
    /// -1 if the id is new.
    let id: Int32
  }

  /// Looks an id up.
  ///
  /// - Parameter problem: set if nil is returned.
  @inline(__always)
  func check(_ text: UnsafeRawBufferPointer, _ problem: inout RowProblem?) -> Checked? {
    guard let table else { return checkNumber(text, &problem) }
    let key = IDTable.Key(text)
    if let id = table.find(key) { return Checked(key: key, id: id) }
    problem =
      table.count <= Int(InteractionFile.largestID)
      ? IDText.problem(text, of: role)
      : .other("has one \(role.words) more than the \(table.count) that a data set may have")
    return problem == nil ? Checked(key: key, id: -1) : nil
  }

  private func checkNumber(
    _ text: UnsafeRawBufferPointer, _ problem: inout RowProblem?
  ) -> Checked? {
    guard let id = NumberText.whole(text, atMost: Int(InteractionFile.largestID)) else {
      problem =
        text.isEmpty
        ? .empty(role) : .notANumber(role, String(decoding: text.prefix(64), as: UTF8.self))
      return nil
    }
    return Checked(key: nil, id: Int32(id))
  }

  /// The number of a checked id; a new one gets the next.
  @inline(__always)
  func number(_ checked: Checked) -> Int32 {
    guard let table, let key = checked.key else {
      note(checked.id)
      return checked.id
    }
    if checked.id >= 0 { return checked.id }
    count = table.count + 1
    return table.insert(key)
  }

  private func note(_ id: Int32) {
    withUnsafeBytes(of: id) { bytes in
      let key = IDTable.Key(bytes)
      if occurring.find(key) == nil { _ = occurring.insert(key) }
    }
    count = max(count, Int(id) + 1)
  }

  /// With kept ids: makes room for ids that do not occur, but have features.
  func include(idsBelow limit: Int) { count = max(count, limit) }

  /// The number of an id that occurs, for descriptions of items; nil if it does not.
  func find(_ text: UnsafeRawBufferPointer) -> Int32? {
    if let table { return table.find(text) }
    return NumberText.whole(text, atMost: count - 1).map { Int32($0) }
  }

  /// - Throws: ``DatasetError`` if kept ids have so many gaps that tables would be mostly empty.
  func checkDensity(path: String) throws(DatasetError) {
    guard table == nil, count > 16 * occurring.count + 65_536 else { return }
    throw DatasetError(
      .configuration, path: path,
      "has \(role.words) ids up to \(count - 1), but only \(occurring.count) different ones, so "
        + "most rows of a table would be unused: leave out --keep-ids, so that they are numbered "
        + "again from 0")
  }

  /// Calls a closure with the original id of a number.
  func withID(
    _ id: Int, _ body: (UnsafeRawBufferPointer) throws(DatasetError) -> Void
  ) throws(DatasetError) {
    if let table { return try body(table[Int32(id)]) }
    let digits = Array("\(id)".utf8)
    try digits.withUnsafeBufferPointer { bytes throws(DatasetError) in
      try body(UnsafeRawBufferPointer(bytes))
    }
  }
}
