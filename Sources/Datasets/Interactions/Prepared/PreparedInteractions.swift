import Tensors

/// The interactions of a text file in binary form, mapped into memory: a process that starts on the
/// same text again need not parse it, and none holds a copy.
///
/// The layout of the file is ``PreparedLayout``. It is made of text that has passed all
/// ``InteractionChecks``.
package struct PreparedInteractions {
  package let counts: PreparedCounts
  private let file: MappedFile
  private let layout: PreparedLayout
  private let columns: InteractionFileWriter.Columns

  /// - Parameter source: the digest of the text, 32 hexadecimal digits.
  /// - Returns: nil if there is no file.
  /// - Throws: ``CachedFileError`` if the file cannot be read, is damaged, or was made from other
  ///   text or by another version.
  package init?(path: String, source: String) throws(CachedFileError) {
    guard
      let cached = try CachedFile(
        path: path, magic: PreparedLayout.magic, kind: "a file of interactions",
        version: PreparedLayout.version, source: source,
        headerByteCount: PreparedLayout.headerByteCount)
    else { return nil }
    file = cached.file
    let bytes = file.bytes
    let numbers = (0..<PreparedCounts.count).map { index in
      Int64(
        littleEndian: bytes.loadUnaligned(
          fromByteOffset: CachedFile.sourceRange.upperBound + index * 8, as: Int64.self))
    }
    guard let counts = PreparedCounts(numbers) else {
      throw CachedFileError(message: "has impossible counts")
    }
    let layout = PreparedLayout(counts)
    guard layout.digest.upperBound == bytes.count else {
      throw CachedFileError(
        message: "has \(bytes.count) bytes instead of \(layout.digest.upperBound)")
    }
    self.counts = counts
    self.layout = layout
    columns = InteractionFileWriter.Columns(
      rawValue: bytes[12])
    try check()
    try cached.checkIsUnchanged()
  }

  /// The number of items: that of the feature rows, else largest item id + 1.
  ///
  /// - Returns: nil if features and interactions do not agree: the reader of the text says how.
  func itemCount(covering extents: [ItemExtent]) -> Int? {
    let needed = counts.largestItem + 1
    guard let first = extents.first?.rows else { return counts.missingItem < 0 ? needed : nil }
    return extents.allSatisfy { $0.rows == first } && first >= needed ? first : nil
  }

  /// The interactions for this many items; their numbers stay in the file.
  func split(itemCount: Int) -> SplitInteractions {
    let lists = (0..<3).map { split in
      AdjacencyList(
        columnCount: itemCount, offsets: numbers(layout.offsets[split]),
        columns: numbers(layout.columns[split]))
    }
    return SplitInteractions(
      columns: columns, trainUsers: numbers(layout.trainUsers),
      trainItems: numbers(layout.trainItems), train: lists[0], valid: lists[1], test: lists[2],
      dropped: DroppedInteractions(
        users: counts.dropped[0], valid: counts.dropped[1], test: counts.dropped[2]))
  }

  /// What sampling and ranking index without bounds checks.
  private func check() throws(CachedFileError) {
    let items = counts.largestItem
    let users: ReadOnlyArray<Int32> = numbers(layout.trainUsers)
    guard Self.isWithin(users, 0..<counts.users),
      Self.isWithin(numbers(layout.trainItems), 0..<items + 1)
    else { throw CachedFileError(message: "has a training interaction out of range") }
    for split in 0..<3 {
      let offsets: ReadOnlyArray<Int> = numbers(layout.offsets[split])
      let columns: ReadOnlyArray<Int32> = numbers(layout.columns[split])
      guard offsets.first == 0, offsets.last == columns.count,
        zip(offsets, offsets.dropFirst()).allSatisfy({ $0 <= $1 })
      else { throw CachedFileError(message: "has row offsets that do not ascend") }
      guard Self.areRowsAscending(columns, offsets, below: items + 1) else {
        throw CachedFileError(message: "has an item out of place")
      }
    }
  }

  private static func isWithin(_ numbers: ReadOnlyArray<Int32>, _ range: Range<Int>) -> Bool {
    numbers.withUnsafeBufferPointer { numbers in
      numbers.allSatisfy { $0 >= range.lowerBound && $0 < range.upperBound }
    }
  }

  private static func areRowsAscending(
    _ columns: ReadOnlyArray<Int32>, _ offsets: ReadOnlyArray<Int>, below end: Int
  ) -> Bool {
    columns.withUnsafeBufferPointer { columns in
      for row in 0..<offsets.count - 1 {
        var last: Int32 = -1
        for column in columns[offsets[row]..<offsets[row + 1]] {
          guard column > last && column < end else { return false }
          last = column
        }
      }
      return true
    }
  }

  private func numbers<Number: BitwiseCopyable & Sendable>(
    _ range: Range<Int>
  ) -> ReadOnlyArray<Number> {
    // Parts begin at multiples of 8 of a page, and numbers have the byte order of this machine,
    // which is little-endian wherever mrdib runs.
    ReadOnlyArray(
      UnsafeRawBufferPointer(rebasing: file.bytes[range]).bindMemory(to: Number.self), of: file)
  }
}
