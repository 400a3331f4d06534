import Datasets
import Files

/// Reads a description of items: JSON lines, printed Python dictionaries (Amazon 2014), delimited
/// fields with a header, or RecBole's `.item`.
struct ItemFile {
  /// What was found, next to the texts.
  struct Result {
    /// Lines that could not be read.
    var damage = DamageLog()
    /// Lines with an item, whether it occurs or not.
    var rowCount = 0
    /// The column that was taken as the item, and its first value, for messages.
    var idName = ""
    var firstID: String?

    fileprivate mutating func note(_ id: UnsafeRawBufferPointer) {
      rowCount += 1
      guard firstID == nil else { return }
      firstID = String(decoding: id.prefix(64), as: UTF8.self).sanitized(atMost: 40)
    }
  }

  let path: String
  /// The column of ids as the user names it.
  let idColumn: String?
  /// The name of the column of items in the interactions, if it has one.
  let itemColumn: String?
  let onRefill: (ByteStream) throws(DatasetError) -> Void

  /// The number of a text that is an item's id; nil if no interaction has the item.
  typealias Find = (UnsafeRawBufferPointer) -> Int32?

  /// Adds what is known about the items that occur.
  ///
  /// - Parameter notify: gets what was taken for what.
  func read(
    into texts: ItemTexts, find: Find, notify: (String) -> Void
  ) throws(DatasetError) -> Result {
    let lines = try LineReader(path: path, onRefill: onRefill)
    let format = SourceFormat.find(in: lines.beginning)
    return format == .jsonLines
      ? try readObjects(lines, into: texts, find, notify)
      : try readFields(lines, format, into: texts, find, notify)
  }

  private func readObjects(
    _ lines: LineReader, into texts: ItemTexts, _ find: Find, _ notify: (String) -> Void
  ) throws(DatasetError) -> Result {
    var result = Result()
    let object = ObjectLine()
    let storage = ObjectLine.ValueStorage()
    var keys: Keys<ObjectLine.Key>?
    while let line = try lines.next() {
      if line.isEmpty { continue }
      if let reason = object.read(UnsafeRawBufferPointer(line)) {
        result.damage.add(path: path, line: lines.lineNumber, .notAnObject(reason))
        result.rowCount += 1
        continue
      }
      if keys == nil {
        // Later objects may have keys that the first lacks.
        let id = try idName(among: object.keys, place: "key")
        result.idName = id.sanitized(atMost: 40)
        notify("took '\(result.idName)' as the item of \(FilePath.name(of: path))")
        let found = Keys(
          id: ObjectLine.Key(id), titles: ColumnNames.title.map { ObjectLine.Key($0) },
          categories: ["categories", "category", "genres", "genre", "tags"]
            .map { ObjectLine.Key($0) },
          texts: ["description", "text", "abstract", "summary"].map { ObjectLine.Key($0) })
        let used = ([found.id] + found.titles + found.categories + found.texts).map(\.name)
        noteUnused(object.keys.filter { !used.contains($0) }, notify)
        keys = found
      }
      guard let keys else { continue }
      guard let id = object.text(keys.id, storage: storage), !id.isEmpty else {
        result.damage.add(
          path: path, line: lines.lineNumber, .missing(.item, key: keys.id.name))
        result.rowCount += 1
        continue
      }
      result.note(id)
      guard let item = find(id) else { continue }
      let first = { (candidates: [ObjectLine.Key], separator: String) in
        candidates.lazy.map { object.texts($0).filter { !$0.isEmpty } }.first { !$0.isEmpty }
          .map { Self.distinct($0).joined(separator: separator) } ?? ""
      }
      try texts.add(
        item,
        [
          .title: first(keys.titles, " "), .categories: first(keys.categories, " | "),
          .text: first(keys.texts, " "),
        ])
    }
    return result
  }

  private func noteUnused(_ names: [String], _ notify: (String) -> Void) {
    guard !names.isEmpty else { return }
    let shown = names.prefix(ColumnLayout.shownNames).map { "'\($0.sanitized(atMost: 40))'" }
    notify(
      "not used of \(FilePath.name(of: path)): \(shown.joined(separator: ", "))"
        + (names.count > shown.count ? " and \(names.count - shown.count) more" : ""))
  }

  private func readFields(
    _ lines: LineReader, _ format: SourceFormat, into texts: ItemTexts, _ find: Find,
    _ notify: (String) -> Void
  ) throws(DatasetError) -> Result {
    var result = Result()
    let delimiter = format.delimiter ?? Delimiter.find(inBeginning: lines.beginning) ?? .comma
    let reader = DelimitedReader(lines, delimiter: delimiter, hasQuotes: format.hasQuotes)
    switch try reader.next() {
    case .record: break
    case .damaged(let problem):
      throw DatasetError(.malformed, path: path, line: lines.lineNumber, RowProblem(problem).words)
    case .end:
      throw DatasetError(.malformed, path: path, "has no lines: copy or export it again")
    }
    let names = reader.fields.map { field in
      format == .recbole ? String(field.prefix { $0 != ":" }) : field
    }
    let id = try idName(among: names, place: "column")
    let keys = Keys(
      id: names.firstIndex(of: id) ?? 0,
      titles: ColumnNames.find(ColumnNames.title, among: names).map { [$0] } ?? [],
      categories: ColumnNames.find(ColumnNames.categories, among: names).map { [$0] } ?? [],
      texts: ColumnNames.find(ColumnNames.text, among: names).map { [$0] } ?? [])
    let taken =
      [("item", [keys.id]), ("title", keys.titles), ("categories", keys.categories)]
      + [("text", keys.texts)]
    notify(
      "took "
        + taken.compactMap { role, found in
          found.first.map { "'\(names[$0].sanitized(atMost: 40))' as the \(role)" }
        }.joined(separator: ", ") + " of \(FilePath.name(of: path))")
    let used = taken.flatMap { $0.1 }
    noteUnused(names.indices.filter { !used.contains($0) }.map { names[$0] }, notify)
    result.idName = id.sanitized(atMost: 40)
    while true {
      let step = try reader.next()
      if step == .end { return result }
      if case .damaged(let problem) = step {
        result.rowCount += 1
        result.damage.add(path: path, line: lines.lineNumber, RowProblem(problem))
        continue
      }
      guard reader.fieldCount == names.count else {
        result.rowCount += 1
        result.damage.add(
          path: path, line: lines.lineNumber,
          .fieldCount(found: reader.fieldCount, expected: names.count))
        continue
      }
      result.note(reader.field(keys.id))
      if let position = used.first(where: { !isUTF8(reader.field($0)) }) {
        result.damage.add(
          path: path, line: lines.lineNumber,
          .other(
            "has a '\(names[position].sanitized(atMost: 40))' that is not UTF-8 text; "
              + TextEncoding.advice))
        continue
      }
      guard let item = find(reader.field(keys.id)) else { continue }
      let text = { (positions: [Int]) in
        positions.first.map { String(decoding: reader.field($0), as: UTF8.self) } ?? ""
      }
      let categories = text(keys.categories).split(separator: "|")
        .map { $0.trimmingBlanks }.filter { !$0.isEmpty }
      try texts.add(
        item,
        [
          .title: text(keys.titles), .categories: categories.joined(separator: " | "),
          .text: text(keys.texts),
        ])
    }
  }

  /// Where the id and the texts are.
  private struct Keys<Key> {
    let id: Key
    let titles: [Key]
    let categories: [Key]
    let texts: [Key]
  }

  private func idName(among names: [String], place: String) throws(DatasetError) -> String {
    let listed = names.prefix(12).map { "'\($0.sanitized(atMost: 24))'" }.joined(separator: ", ")
    if let idColumn {
      if names.contains(idColumn) { return idColumn }
      let nearest =
        NearestName.find(idColumn, among: names)
        .map { "; did you mean '\($0.sanitized(atMost: 40))'?" } ?? ""
      throw DatasetError(
        .configuration, path: path,
        "has no \(place) '\(idColumn.sanitized(atMost: 40))' among \(listed)\(nearest)")
    }
    if let itemColumn, names.contains(itemColumn) { return itemColumn }
    if let found = ColumnNames.find(ColumnNames.usual(.item) + ["id"], among: names) {
      return names[found]
    }
    throw DatasetError(
      .configuration, path: path,
      "has no \(place) that is known as the item's id among \(listed): name it with "
        + "--item-id-column NAME")
  }

  /// Texts without repetitions, in order.
  private static func distinct(_ texts: [String]) -> [String] {
    var seen = Set<String>()
    return texts.filter { seen.insert($0).inserted }
  }
}

extension Substring {
  fileprivate var trimmingBlanks: Substring {
    var rest = drop { $0 == " " }
    while rest.last == " " { rest.removeLast() }
    return rest
  }
}
