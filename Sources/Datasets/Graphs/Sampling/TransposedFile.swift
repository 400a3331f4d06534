internal import Foundation
import Tensors

/// The users of each item in a file that is mapped into memory: the training interactions with rows
/// and columns exchanged.
///
/// Little-endian: the start of a ``CachedFile``, whose own 4 bytes are 0; items I, users U and
/// interactions E as `Int64`; where each item's users begin, `I + 1` `Int64`; the users, ascending
/// for each item, as `Int32`; the checksum.
struct TransposedFile {
  private static let magic = Array("mrdibTRN".utf8)
  private static let version: UInt32 = 1
  private static let headerByteCount = CachedFile.sourceRange.upperBound + 3 * 8

  let path: String
  /// A digest of what the interactions are, 32 hexadecimal digits.
  let source: String

  /// - Parameter list: what the file was made from; compared by its extents.
  /// - Returns: nil if there is no file.
  /// - Throws: ``CachedFileError`` if the file cannot be read, is damaged, or was made from other
  ///   data or by another version.
  func read(transposeOf list: AdjacencyList) throws(CachedFileError) -> AdjacencyList? {
    guard
      let cached = try CachedFile(
        path: path, magic: Self.magic, kind: "a file of the users of items", version: Self.version,
        source: source, headerByteCount: Self.headerByteCount)
    else { return nil }
    let bytes = cached.file.bytes
    let extents = (0..<3).map {
      Int64(
        littleEndian: bytes.loadUnaligned(
          fromByteOffset: CachedFile.sourceRange.upperBound + $0 * 8, as: Int64.self))
    }
    let expected = [list.columnCount, list.rowCount, list.columns.count]
    let end = Self.users(expected[0], expected[2]).upperBound
    guard extents == expected.map({ Int64($0) }), cached.content.count == end else {
      throw CachedFileError(
        message: "has \(extents[2]) interactions of \(extents[1]) users and \(extents[0]) items in "
          + "\(bytes.count) bytes, not \(expected[2]) of \(expected[1]) and \(expected[0])")
    }
    let offsets: ReadOnlyArray<Int> = Self.numbers(cached.file, Self.offsets(expected[0]))
    let users: ReadOnlyArray<Int32> = Self.numbers(
      cached.file, Self.users(expected[0], expected[2]))
    guard offsets.first == 0, offsets.last == users.count,
      zip(offsets, offsets.dropFirst()).allSatisfy({ $0 <= $1 }),
      users.withUnsafeBufferPointer({ users in
        users.allSatisfy { $0 >= 0 && $0 < expected[1] }
      })
    else { throw CachedFileError(message: "has users or offsets out of range") }
    try cached.checkIsUnchanged()
    return AdjacencyList(columnCount: expected[1], offsets: offsets, columns: users)
  }

  /// Writes the file, a window of items at a time; it appears under its name when it is complete.
  ///
  /// - Parameter windowSize: interactions in memory at once, unless one item has more.
  func write(
    transposeOf list: AdjacencyList, windowSize: Int = 1 << 25
  ) throws(CachedFileError) {
    do {
      try FileManager.default.createDirectory(
        atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
      let file = try AtomicFile(path: path)
      try write(list, to: file, windowSize: windowSize)
      try file.commit()
    } catch let error as DatasetError {
      throw CachedFileError(message: error.message)
    } catch {
      throw CachedFileError(message: "its folder cannot be created: \(error.localizedDescription)")
    }
  }

  private func write(
    _ list: AdjacencyList, to file: AtomicFile, windowSize: Int
  ) throws(DatasetError) {
    var header = Self.magic
    for word in [Self.version, 0] {
      withUnsafeBytes(of: word.littleEndian) { header += $0 }
    }
    header += source.utf8
    for extent in [list.columnCount, list.rowCount, list.columns.count] {
      withUnsafeBytes(of: Int64(extent).littleEndian) { header += $0 }
    }
    try file.write(header, at: 0)
    var offsets = [Int](repeating: 0, count: list.columnCount + 1)
    for item in list.columns { offsets[Int(item) + 1] += 1 }
    for item in 0..<list.columnCount { offsets[item + 1] += offsets[item] }
    try file.write(offsets, at: Self.offsets(list.columnCount).lowerBound)
    let users = Self.users(list.columnCount, list.columns.count)
    var first = 0
    while first < list.columnCount {
      var end = first + 1
      while end < list.columnCount, offsets[end + 1] - offsets[first] <= windowSize { end += 1 }
      try file.write(
        Self.users(of: first..<end, offsets: offsets, in: list),
        at: users.lowerBound + offsets[first] * 4)
      first = end
    }
    try file.writeChecksum(at: users.upperBound)
  }

  /// The users of some items, item after item.
  private static func users(
    of items: Range<Int>, offsets: [Int], in list: AdjacencyList
  ) -> [Int32] {
    var next = offsets[items.lowerBound...items.upperBound].map { $0 - offsets[items.lowerBound] }
    var users = [Int32](repeating: 0, count: next[items.count])
    for user in 0..<list.rowCount {
      for item in list[user] where items.contains(Int(item)) {
        let index = Int(item) - items.lowerBound
        users[next[index]] = Int32(truncatingIfNeeded: user)
        next[index] += 1
      }
    }
    return users
  }

  private static func offsets(_ itemCount: Int) -> Range<Int> {
    headerByteCount..<headerByteCount + (itemCount + 1) * 8
  }

  private static func users(_ itemCount: Int, _ count: Int) -> Range<Int> {
    let start = offsets(itemCount).upperBound
    return start..<start + count * 4
  }

  private static func numbers<Number: BitwiseCopyable & Sendable>(
    _ file: MappedFile, _ range: Range<Int>
  ) -> ReadOnlyArray<Number> {
    // Parts begin at multiples of 8 of a page, and numbers have the byte order of this machine,
    // which is little-endian wherever mrdib runs.
    ReadOnlyArray(
      UnsafeRawBufferPointer(rebasing: file.bytes[range]).bindMemory(to: Number.self), of: file)
  }
}

extension AtomicFile {
  /// Writes the checksum of a ``CachedFile`` behind everything before, which is read back for it.
  func writeChecksum(at end: Int) throws(DatasetError) {
    var digest = ByteDigest()
    var block: [UInt8] = []
    var offset = 0
    while offset < end {
      let count = min(1 << 20, end - offset)
      if block.count != count { block = [UInt8](repeating: 0, count: count) }
      try read(into: &block, at: offset)
      block.withUnsafeBytes { digest.append($0) }
      offset += count
    }
    try write(Array(digest.hexadecimal.utf8), at: end)
  }
}
