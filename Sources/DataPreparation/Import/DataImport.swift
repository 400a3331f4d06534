import Datasets
import Files
import Foundation

/// Makes the folder of a data set from the files that users have.
///
/// Rows are read, checked and written one by one, in the order of the source. In memory are the
/// different ids and fixed buffers.
package struct DataImport {
  /// What to import and how.
  package struct Options: Sendable {
    /// A file or folder.
    package var source: String
    /// The folder to make.
    package var out: String
    /// nil: found by content.
    package var format: SourceFormat?
    package var columns = ColumnChoice()
    /// Whether the first line has names; nil: found by content.
    package var hasHeader: Bool?
    /// A description of items; nil: one next to the source, if its format has one.
    package var items: String?
    /// The column of ids in the description; nil: one of the usual names.
    package var itemIDColumn: String?
    /// Whether ids are whole numbers that stay as they are.
    package var keepsIDs = false
    /// Whether damaged rows are left out rather than an error.
    package var skipsDamaged = false
    /// Whether a folder with files may be replaced.
    package var replacesExisting = false

    package init(source: String, out: String) {
      self.source = source
      self.out = out
    }
  }

  /// What an import has done.
  package struct Summary: Sendable, Equatable {
    package var rowsRead = 0
    package var rowsWritten = 0
    package var damagedRows = 0
    package var userCount = 0
    package var itemCount = 0
    /// Items with a title, categories or a text.
    package var describedItems = 0
    /// Whether the rows have labels of a split.
    package var hasSplit = false
    package var format = SourceFormat.delimited
  }

  let options: Options
  let observer: any ImportObserver
  private(set) var files: SourceFiles
  var summary = Summary()
  /// Bytes of the files that are read completely, and of all.
  private(set) var doneBytes = 0
  private(set) var allBytes = 0

  private init(_ options: Options, _ observer: any ImportObserver) throws(DatasetError) {
    self.options = options
    self.observer = observer
    files = try SourceFiles.find(options.source, format: options.format)
    if options.keepsIDs { files.keepsIDs = true }
    if let items = options.items { files.items = items }
  }

  /// Imports a source.
  ///
  /// - Parameter observer: gets progress and notices, and can stop the import.
  /// - Throws: ``DatasetError`` if something cannot be read, or has damaged rows that are not to be
  ///   left out: then there is no folder.
  package static func run(
    _ options: Options, observer: any ImportObserver
  ) throws(DatasetError) -> Summary {
    let (folder, summary) = try write(options, reading: [], observer)
    try folder.commit()
    return summary
  }

  /// Imports a source, and adds features to its items before the folder gets its name.
  ///
  /// - Parameter report: called with the progress of the features; may throw to stop.
  /// - Throws: as the one without features; and ``DatasetError`` if features cannot be used.
  package static func run(
    _ options: Options, features: [FeatureAddition], observer: any ImportObserver,
    report: StageReport
  ) throws -> (summary: Summary, features: [FeatureReport]) {
    let sources = features.flatMap { [$0.source, $0.ids].compactMap { $0 } }
    let (folder, summary) = try write(options, reading: sources, observer)
    let reports =
      features.isEmpty
      ? []
      : try FeatureAdder.add(
        features, toUnfinished: folder, replacesExisting: options.replacesExisting, report: report)
    try folder.commit()
    return (summary, reports)
  }

  /// Writes all files but features into a folder that has not got its name.
  private static func write(
    _ options: Options, reading others: [String], _ observer: any ImportObserver
  ) throws(DatasetError) -> (NewFolder, Summary) {
    let sources = [options.source, options.items].compactMap { $0 } + others
    // Before the folder, so that a wrong source leaves no folders on the way to it.
    var work = try DataImport(options, observer)
    let folder = try NewFolder(
      path: options.out, replacesExisting: options.replacesExisting, from: sources)
    try work.run(into: folder)
    return (folder, work.summary)
  }

  private mutating func run(into folder: NewFolder) throws(DatasetError) {
    summary.format = files.format
    allBytes = (files.parts.map { $0.path } + [files.items].compactMap { $0 })
      .reduce(0) { $0 + Self.size(of: $1) }
    var reader = try open(files.parts[0])
    var roles = reader.roles
    let splitLabels = files.parts.compactMap { $0.label }
    if !splitLabels.isEmpty { roles.insert(.label) }
    summary.hasSplit = roles.contains(.label)
    let name = FilePath.name(of: folder.path)
    let interactions = "\(name).inter"
    let timeOrder = timeOrder(of: roles)
    var added: Set<ColumnRole> = [.label]
    if timeOrder != nil {
      added.insert(.time)
      roles.insert(.time)
    }
    let writer = try InteractionWriter(
      path: folder.path(of: interactions), roles: roles, keepsIDs: files.keepsIDs,
      takesOrder: timeOrder != nil)
    for (index, part) in files.parts.enumerated() {
      if index > 0 {
        reader = try open(part)
        guard reader.roles == roles || reader.roles.union(added.intersection(roles)) == roles else {
          throw DatasetError(
            .inconsistent, path: part.path,
            "has other columns than \(FilePath.name(of: files.parts[0].path)): the parts of a "
              + "split need the same")
        }
      }
      try copyRows(reader, of: part, to: writer)
      doneBytes += Self.size(of: part.path)
    }
    guard writer.rowCount > 0 else {
      throw DatasetError(
        .malformed, path: options.source, "has no interactions; was it exported completely?")
    }
    try writer.commit()
    try checkIDs(writer)
    noteTimes(writer.timeUnits)
    try writeArrays(to: folder, items: writer.items)
    try writeUsers(writer.users, to: folder)
    try writeItems(writer.items, to: folder)
    summary.rowsWritten = writer.rowCount
    summary.userCount = writer.users.count
    summary.itemCount = writer.items.count
    try writeDescription(
      name: name, interactions: interactions, roles: roles, timeOrder: timeOrder, to: folder)
  }

  /// The order that becomes the time of rows, if one does; says so.
  private func timeOrder(of roles: Set<ColumnRole>) -> TimeOrder? {
    let choice = options.columns[.time]
    guard !roles.contains(.time), choice != ColumnChoice.none else { return nil }
    if files.format.isListOfItems {
      observer.notify(
        "took the order of each user's items as the timestamp; leave it out with --time-column "
          + "none if it is not their order in time")
      return .list
    }
    guard choice == ColumnChoice.order else { return nil }
    observer.notify("took the order of the rows as the timestamp")
    return .rows
  }

  private static func size(of path: String) -> Int {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : 0
  }

  /// What readers call after each refill: reports progress, and stops if the user asked for it.
  var onRefill: (ByteStream) throws(DatasetError) -> Void {
    let (done, all, observer) = (doneBytes, allBytes, observer)
    return { stream throws(DatasetError) in
      try observer.noteProgress(done + stream.filePosition, of: all)
    }
  }

  private mutating func open(_ part: SourceFiles.Part) throws(DatasetError) -> any RowReader {
    let isFirst = part.path == files.parts[0].path
    switch files.format {
    case .jsonSplit: return try ListRows(path: part.path, onRefill: onRefill)
    case .pairs:
      if isFirst { observer.notify("took lines of a user and its items, separated by blanks") }
      return PairRows(try LineReader(path: part.path, onRefill: onRefill))
    case .countedLists:
      if isFirst {
        observer.notify(
          "took lines of a number and so many items, separated by blanks; the user is the position "
            + "of the line, from 0")
      }
      return PairRows(try LineReader(path: part.path, onRefill: onRefill), start: .count)
    case .jsonLines:
      let rows = try ObjectRows(
        try LineReader(path: part.path, onRefill: onRefill), choice: options.columns)
      if isFirst { rows.layout.notices.forEach(observer.notify) }
      return rows
    default:
      let rows = try DelimitedRows(
        try LineReader(path: part.path, onRefill: onRefill), format: files.format,
        hasHeader: options.hasHeader, choice: options.columns)
      if isFirst { rows.layout.notices.forEach(observer.notify) }
      return rows
    }
  }

  private mutating func copyRows(
    _ reader: any RowReader, of part: SourceFiles.Part, to writer: InteractionWriter
  ) throws(DatasetError) {
    var damage = DamageLog()
    var row = SourceRow()
    var rowCount = 0
    reading: while true {
      switch try reader.next(&row) {
      case .row:
        rowCount += 1
        if let problem = try writer.add(row, label: part.label) {
          damage.add(path: part.path, line: reader.lineNumber, problem)
        }
      case .damaged(let problem):
        rowCount += 1
        damage.add(path: part.path, line: reader.lineNumber, problem)
      case .end: break reading
      }
    }
    summary.rowsRead += rowCount
    try report(damage, path: part.path, rowCount: rowCount)
  }

  /// Lists damaged lines, and ends the import unless they may be left out.
  mutating func report(
    _ damage: DamageLog, path: String, rowCount: Int
  ) throws(DatasetError) {
    guard damage.count > 0 else { return }
    for line in damage.lines(rowCount: rowCount) { observer.warn(line) }
    guard options.skipsDamaged else { throw damage.error(path: path, rowCount: rowCount) }
    summary.damagedRows += damage.count
    observer.warn(
      "left out \(damage.count) damaged \(damage.count == 1 ? "line" : "lines") of "
        + FilePath.name(of: path))
  }

  private func checkIDs(_ writer: InteractionWriter) throws(DatasetError) {
    try writer.users.checkDensity(path: options.source)
    try writer.items.checkDensity(path: options.source)
  }

  private func noteTimes(_ units: Set<TimeText.Unit>) {
    let converted = units.subtracting([.seconds])
    guard !converted.isEmpty else { return }
    let words = units.sorted { $0.rawValue < $1.rawValue }.map { $0.words }
    observer.notify(
      units.count == 1
        ? "timestamps were \(words[0]) and became seconds since 1970"
        : "timestamps were of several kinds (\(words.joined(separator: ", "))) and became seconds "
          + "since 1970")
  }
}
