import Files

/// Reads `.inter` files: a header, then one interaction per line, columns separated by tabs.
///
/// The bytes are read once, over a memory map, into 9 bytes per interaction; no row becomes a
/// string.
public enum InteractionFile {
  /// The largest id; table rows are numbered with 32 bits, and `id + 1` must fit as well.
  public static let largestID = Int32.max - 1

  /// - Throws: ``DatasetError`` with the file, the line and the reason.
  public static func read(_ path: String) throws(DatasetError) -> Interactions {
    var log = ProblemLog(limit: 1)
    return try read(path, log: &log)
  }

  /// Reads a file whose interactions may not be split yet, with ratings and times if it has them.
  ///
  /// - Throws: ``DatasetError`` with the file, the line and the reason.
  public static func readRaw(_ path: String) throws(DatasetError) -> RawInteractions {
    let file = try MappedFile(path: path)
    let (header, body) = try begin(file, purpose: .preparation)
    let lineCount = try lineCount(of: body, path: path)
    var columns = RawInteractions.Columns(header, capacity: lineCount)
    var log = ProblemLog(limit: 1)
    _ = try readRows(body, header: header, path: path, log: &log) { row, scanner in
      columns.append(row, scanner)
    }
    return RawInteractions(source: path, columns: columns)
  }

  /// Reads what can be read; a line that cannot is reported and left out.
  static func read(_ path: String, log: inout ProblemLog) throws(DatasetError) -> Interactions {
    let file = try MappedFile(path: path)
    let (header, body) = try begin(file, purpose: .training)
    // Count the lines first: growing the arrays would double the memory for the largest files.
    let lineCount = try lineCount(of: body, path: path)
    var users: [Int32] = []
    var items: [Int32] = []
    var labels: [SplitLabel] = []
    users.reserveCapacity(lineCount)
    items.reserveCapacity(lineCount)
    labels.reserveCapacity(lineCount)
    let lines = try readRows(body, header: header, path: path, log: &log) { row, _ in
      users.append(row.user)
      items.append(row.item)
      labels.append(row.label)
    }
    return Interactions(
      source: path, columns: header.columns, users: users, items: items, labels: labels,
      lines: lines)
  }

  /// Passes on the interactions of a file one by one, without keeping them.
  ///
  /// - Parameters:
  ///   - begin: receives the number of lines, at least that of the interactions.
  ///   - take: receives every interaction in order, and the share of the file that is read, from 0
  ///     to 1; false ends the scan.
  /// - Returns: the columns of the file; nil if a line cannot be read, or the scan was ended.
  /// - Throws: ``DatasetError`` if it is no file of interactions, and what `take` throws.
  static func scan(
    _ file: MappedFile, begin: (_ lines: Int) -> Void,
    take: (InteractionLineScanner.Row, _ share: Double) throws(DatasetError) -> Bool
  ) throws(DatasetError) -> InteractionFileWriter.Columns? {
    let (header, body) = try Self.begin(file, purpose: .training)
    begin(try lineCount(of: body, path: file.path))
    var scanner = InteractionLineScanner(bytes: body, roles: header.roles)
    while !scanner.isAtEnd {
      guard let row = scanner.next(),
        try take(row, Double(scanner.position) / Double(body.count))
      else { return nil }
    }
    return header.columns
  }

  /// Reads the header, and checks that what follows it is text.
  private static func begin(
    _ file: MappedFile, purpose: InteractionHeader.Purpose
  ) throws(DatasetError) -> (InteractionHeader, body: UnsafeRawBufferPointer) {
    let (bytes, path) = (file.bytes, file.path)
    guard !bytes.isEmpty else {
      throw DatasetError(
        .malformed, path: path,
        "is empty; it should begin with the header userID itemID rating timestamp x_label")
    }
    if let zero = bytes.firstIndex(of: 0) {
      let line = bytes[..<zero].count { $0 == UInt8(ascii: "\n") } + 1
      try refuseOtherKinds(bytes, path: path)
      throw DatasetError(
        .malformed, path: path, line: line,
        "holds a NUL byte: this is not a text file (UTF-16?) or it is damaged; save it as UTF-8")
    }
    let headerEnd = bytes.firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
    try checkLineEnds(bytes[..<headerEnd], path: path)
    let header: InteractionHeader
    do {
      header = try InteractionHeader.parse(
        Array(bytes[..<headerEnd]), path: path, purpose: purpose)
    } catch {
      try refuseOtherKinds(bytes, path: path)
      throw error
    }
    return (header, UnsafeRawBufferPointer(rebasing: bytes[min(headerEnd + 1, bytes.count)...]))
  }

  /// - Throws: ``DatasetError`` if the file is known to be of another kind.
  private static func refuseOtherKinds(
    _ bytes: UnsafeRawBufferPointer, path: String
  ) throws(DatasetError) {
    guard let kind = ContentKind.sentence(bytes) else { return }
    throw DatasetError(.malformed, path: path, "is not an interaction file: \(kind)")
  }

  /// - Parameter firstLine: up to the first line feed.
  /// - Throws: ``DatasetError`` if lines end with carriage returns alone.
  private static func checkLineEnds(
    _ firstLine: Slice<UnsafeRawBufferPointer>, path: String
  ) throws(DatasetError) {
    guard let end = firstLine.firstIndex(of: UInt8(ascii: "\r")), end + 1 < firstLine.endIndex
    else {
      return
    }
    throw DatasetError(
      .malformed, path: path, line: 1,
      "ends with a carriage return alone, as on old Macs, so the whole file is one line: save it "
        + "with line feeds, for instance: tr '\\r' '\\n' < OLD > NEW")
  }

  private static func lineCount(
    of body: UnsafeRawBufferPointer, path: String
  ) throws(DatasetError) -> Int {
    let count = body.count { $0 == UInt8(ascii: "\n") } + 1
    guard count <= Int(Int32.max) else {
      throw DatasetError(
        .malformed, path: path,
        "has \(count) lines, more than the \(Int32.max) that can be read")
    }
    return count
  }

  /// Scans all lines.
  ///
  /// - Parameter take: receives every interaction in order, and the scanner with what else its line
  ///   held.
  /// - Returns: which lines the interactions are from.
  @inline(__always)
  private static func readRows(
    _ body: UnsafeRawBufferPointer, header: InteractionHeader, path: String, log: inout ProblemLog,
    take: (InteractionLineScanner.Row, InteractionLineScanner) -> Void
  ) throws(DatasetError) -> LineNumbers {
    var lines = LineNumbers()
    var count = 0
    var scanner = InteractionLineScanner(bytes: body, roles: header.roles)
    while !scanner.isAtEnd {
      let start = scanner.position
      if let row = scanner.next() {
        take(row, scanner)
        count += 1
        continue
      }
      let number = count + lines.skipped.count + 2
      lines.skipped.append(number)
      let problem = InteractionDiagnosis.explain(
        UnsafeRawBufferPointer(rebasing: body[start..<scanner.position]), roles: header.roles)
      try log.report(DatasetError(.malformed, path: path, line: number, problem))
    }
    guard count > 0 || !lines.skipped.isEmpty else {
      throw DatasetError(
        .malformed, path: path, "has a header but no interactions; was it exported completely?")
    }
    return lines
  }
}

extension DatasetDescription {
  /// Whether the interactions of a folder have the labels of a split. Reads their header alone.
  ///
  /// - Throws: ``DatasetError`` if the folder or the header cannot be read.
  package static func isSplit(folder: String) throws(DatasetError) -> Bool {
    let description = try read(folder: folder)
    let path = description.path(of: description.interactionsFile)
    let file = try MappedFile(path: path)
    let line = Array(file.bytes.prefix { $0 != UInt8(ascii: "\n") })
    return try InteractionHeader.parse(line, path: path, purpose: .preparation)
      .columns.contains(.labels)
  }
}
