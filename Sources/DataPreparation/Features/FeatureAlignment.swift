import Datasets
import Files

/// Features of one modality that are to be added to a data set.
package struct FeatureAddition: Sendable {
  package let modality: String
  /// A file, or an array of an npz file: `FILE.npz:ARRAY`.
  package let source: String
  /// A list of the ids of the rows, for sources that have none.
  package let ids: String?
  /// What the rows of items without features are filled with.
  package let fill: FeatureFill

  package init(modality: String, source: String, ids: String? = nil, fill: FeatureFill = .zero) {
    self.modality = modality
    self.source = source
    self.ids = ids
    self.fill = fill
  }
}

/// What became of the rows of a source.
package struct FeatureReport: Sendable, Equatable {
  package let modality: String
  package let itemCount: Int
  package let columns: Int
  /// Items that have features.
  package let presentCount: Int
  /// Rows of ids that the data set does not have.
  package let unknownCount: Int
  /// Rows that repeat an earlier one, number by number.
  package let repeatedCount: Int
  package let fill: FeatureFill

  /// What to print: `text: 4812 of 5000 items have it; the others get zeros`.
  package var lines: [String] {
    let filled = fill == .zero ? "zeros" : "the mean of these"
    var lines = [
      presentCount == itemCount
        ? "\(modality): all \(itemCount) items have it, \(columns) columns"
        : "\(modality): \(presentCount) of \(itemCount) items have it, \(columns) columns; the "
          + "others get \(filled)"
    ]
    if unknownCount > 0 {
      lines.append(
        unknownCount == 1
          ? "\(modality): 1 row has an id of no item; it is left out"
          : "\(modality): \(unknownCount) rows have ids of no item; they are left out")
    }
    if repeatedCount > 0 {
      lines.append("\(modality): \(repeatedCount) rows repeat an earlier row; they are left out")
    }
    return lines
  }
}

/// Writes the rows of a source in the order of dense ids. Memory stays at a few rows and one byte
/// per item, next to the tables of ids.
struct FeatureAlignment {
  /// Files that have not got their names yet.
  struct Result {
    let report: FeatureReport
    let features: NPYRowFile
    /// Nil if all items have features.
    let mask: FeatureMask?
  }

  private let addition: FeatureAddition
  private let items: ItemLookup
  private let path: String
  private var output: NPYRowFile?
  private var isPresent: [Bool]
  private var unknownCount = 0
  private var repeatedCount = 0
  private var unknownExample: String?
  private var columns = 0
  /// Whether the rows have ids.
  private var hasIDs = false

  private init(_ addition: FeatureAddition, items: ItemLookup, path: String) {
    self.addition = addition
    self.items = items
    self.path = path
    isPresent = [Bool](repeating: false, count: items.count)
  }

  /// - Parameters:
  ///   - path: of the feature file to write.
  ///   - progress: receives the share of the source that was read; may throw to stop.
  /// - Throws: ``DatasetError`` that names the first line or row that cannot be used, or if no row
  ///   belongs to an item.
  static func run(
    _ addition: FeatureAddition, items: ItemLookup, path: String,
    progress: (Double) throws -> Void
  ) throws -> Result {
    let source = try FeatureSourceOpening.open(addition.source, idsPath: addition.ids)
    var alignment = FeatureAlignment(addition, items: items, path: path)
    var rowCount = 0
    try source.read { row in
      if rowCount.isMultiple(of: 256) { try progress(row.share) }
      rowCount += 1
      try alignment.take(row, source: source.path)
    }
    return try alignment.finish(source: source.path, rowCount: rowCount)
  }

  private mutating func take(_ row: FeatureRow, source: String) throws(DatasetError) {
    try check(row, source: source)
    guard let dense = try item(of: row, source: source) else { return }
    guard let base = row.values.baseAddress else { return }
    let output: NPYRowFile
    if let open = self.output {
      output = open
    } else {
      output = try NPYRowFile(path: path, rows: items.count, columns: columns)
      self.output = output
    }
    guard !isPresent[dense] else { return try takeAgain(row, dense: dense, source: source, output) }
    try output.write(dense, base)
    isPresent[dense] = true
  }

  /// Checks the number of values and the values.
  private mutating func check(_ row: FeatureRow, source: String) throws(DatasetError) {
    if columns == 0 { columns = row.values.count }
    guard row.values.count == columns, columns > 0 else {
      throw row.place.error(
        source,
        columns == 0
          ? "has no values"
          : "has \(row.values.count) values, but the rows before it have \(columns)")
    }
    if case .unusable(let column) = FeatureRowScan.scan(row.values) {
      let sentence = FeatureRowScan.sentence(
        for: row.values[column], place: "value \(row.place.number(ofColumn: column))")
      throw row.place.error(source, "cannot be used: \(sentence)")
    }
  }

  /// The dense id of a row; nil if its id belongs to no item.
  private mutating func item(
    of row: FeatureRow, source: String
  ) throws(DatasetError) -> Int? {
    guard let id = row.id else {
      guard case .row(let number) = row.place, number < items.count else {
        throw DatasetError(
          .inconsistent, path: source,
          "has more rows than the data set has items, \(items.count): without ids, row n is item "
            + "n; name a list of ids with --ids")
      }
      return number
    }
    hasIDs = true
    if let dense = items.dense(of: id) { return dense }
    unknownCount += 1
    if unknownExample == nil {
      unknownExample = String(decoding: id.prefix(128), as: UTF8.self).sanitized(atMost: 40)
    }
    return nil
  }

  /// A second row of an item: accepted if it is the same.
  private mutating func takeAgain(
    _ row: FeatureRow, dense: Int, source: String, _ output: NPYRowFile
  ) throws(DatasetError) {
    var earlier = [Float](repeating: 0, count: columns)
    try earlier.withUnsafeMutableBufferPointer { buffer throws(DatasetError) in
      if let base = buffer.baseAddress { try output.read(dense, to: base) }
    }
    guard zip(earlier, row.values).allSatisfy({ $0.bitPattern == $1.bitPattern }) else {
      let id = row.id.map { String(decoding: $0.prefix(128), as: UTF8.self) } ?? "\(dense)"
      throw row.place.error(
        source,
        "has other values for the id '\(id.sanitized(atMost: 40))' than a row before it: keep "
          + "one of the two")
    }
    repeatedCount += 1
  }

  private mutating func finish(source: String, rowCount: Int) throws(DatasetError) -> Result {
    guard rowCount > 0 else {
      throw DatasetError(.malformed, path: source, "holds no features")
    }
    guard let output else {
      throw DatasetError(
        .inconsistent, path: source,
        "has none of the data set's items in its \(rowCount) rows: its ids look like "
          + "'\(unknownExample ?? "")', those of the data set like \(items.example)")
    }
    let presentCount = isPresent.count { $0 }
    if presentCount < items.count {
      guard hasIDs else {
        throw DatasetError(
          .inconsistent, path: source,
          "has \(rowCount) rows without ids, but the data set has \(items.count) items: name a "
            + "list of ids with --ids")
      }
      if addition.fill == .mean { try fillWithMean(output, presentCount: presentCount) }
    }
    let report = FeatureReport(
      modality: addition.modality, itemCount: items.count, columns: columns,
      presentCount: presentCount, unknownCount: unknownCount, repeatedCount: repeatedCount,
      fill: addition.fill)
    return Result(
      report: report, features: output,
      mask: presentCount < items.count ? FeatureMask(isPresent) : nil)
  }

  /// Adds up in the order of dense ids, so that the mean does not depend on the order of the
  /// source.
  private func fillWithMean(
    _ output: NPYRowFile, presentCount: Int
  ) throws(DatasetError) {
    var sums = [Double](repeating: 0, count: columns)
    let row = UnsafeMutableBufferPointer<Float>.allocate(capacity: columns)
    defer { row.deallocate() }
    guard let base = row.baseAddress else { return }
    for item in 0..<items.count where isPresent[item] {
      try output.read(item, to: base)
      for column in 0..<columns { sums[column] += Double(row[column]) }
    }
    for column in 0..<columns { row[column] = Float(sums[column] / Double(presentCount)) }
    for item in 0..<items.count where !isPresent[item] { try output.write(item, base) }
  }
}
