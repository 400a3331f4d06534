import Datasets
import Files

/// Ids in the order of the rows that they belong to, in one piece of memory.
struct IDList {
  private var bytes: [UInt8] = []
  private var ends: [Int] = []

  var count: Int { ends.count }

  /// Passes an id on.
  ///
  /// - Precondition: `0 <= row < count`.
  fileprivate func with<Result>(
    _ row: Int, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    let start = row == 0 ? 0 : ends[row - 1]
    return try bytes.withUnsafeBytes { all in
      try body(UnsafeRawBufferPointer(rebasing: all[start..<ends[row]]))
    }
  }

  mutating func append(_ id: some Sequence<UInt8>) {
    bytes.append(contentsOf: id)
    ends.append(bytes.count)
  }

  /// Reads a list of ids: a text with one per line, or an npy array of numbers or texts.
  ///
  /// - Throws: ``DatasetError`` if the file cannot be read or holds anything else.
  static func read(_ path: String) throws -> IDList {
    let start: [UInt8]
    do {
      start = try PlainFile.beginning(of: path, byteCount: NPYHeader.magic.count)
    } catch {
      throw FileBytes.unreadable(path, error)
    }
    if start == NPYHeader.magic {
      let file = try MappedFile(path: path)
      let header = try NPYHeader.parse(file.bytes, path: path)
      return try NPYIDs.read(
        UnsafeRawBufferPointer(rebasing: file.bytes[header.payloadOffset...]), header: header,
        path: path)
    }
    let lines = try LineReader(path: path)
    var list = IDList()
    while let line = try lines.next() {
      let id = UnsafeRawBufferPointer(line)
      guard !id.isEmpty else {
        throw DatasetError(
          .malformed, path: path, line: lines.lineNumber,
          "is blank, but the list has one id per line, in the order of the rows")
      }
      list.append(id)
    }
    return list
  }
}

extension IDList? {
  /// Passes the id of a row on; nil if there is no list.
  ///
  /// - Precondition: `0 <= row < count` if there is one.
  func withID<Result>(
    _ row: Int, _ body: (UnsafeRawBufferPointer?) throws -> Result
  ) rethrows -> Result {
    switch self {
    case .some(let list): try list.with(row) { try body($0) }
    case .none: try body(nil)
    }
  }
}

/// Reads ids from the array of an npy file.
enum NPYIDs {
  /// - Parameter payload: what follows the header.
  /// - Throws: ``DatasetError`` for anything but a one-dimensional array of whole numbers or texts.
  static func read(
    _ payload: UnsafeRawBufferPointer, header: NPYHeader, path: String
  ) throws(DatasetError) -> IDList {
    let descriptor = header.descriptor ?? "records"
    guard let kind = Kind(descriptor) else {
      let advice =
        descriptor.hasSuffix("O")
        ? "pickled Python objects, which only Python can read; convert it: np.save(file, "
          + "np.asarray(ids, dtype=str))"
        : "'\(descriptor.sanitized(atMost: 16))', but ids are whole numbers or texts: "
          + "np.save(file, np.asarray(ids, dtype=str))"
      throw DatasetError(.malformed, path: path, "holds ids as \(advice)")
    }
    guard header.shape.count == 1 else {
      throw DatasetError(
        .malformed, path: path,
        "holds ids of shape \(header.shapeText), but there is one per row: (N,)")
    }
    let count = header.shape[0]
    let (expected, overflow) = count.multipliedReportingOverflow(by: kind.byteCount)
    guard !overflow, expected == payload.count, count <= Int(InteractionFile.largestID) else {
      throw DatasetError(
        .malformed, path: path,
        "declares \(count) ids of \(kind.byteCount) bytes, but \(payload.count) bytes follow the "
          + "header: the file is damaged; export it again")
    }
    var list = IDList()
    for row in 0..<count {
      let field = UnsafeRawBufferPointer(
        rebasing: payload[row * kind.byteCount..<(row + 1) * kind.byteCount])
      guard let id = kind.text(field) else {
        throw DatasetError(.malformed, path: path, "row \(row) holds an id that is not text")
      }
      list.append(id.utf8)
    }
    return list
  }

  /// How the array stores an id.
  private struct Kind {
    let letter: Character
    let isBigEndian: Bool
    let byteCount: Int

    init?(_ descriptor: String) {
      var rest = descriptor[...]
      isBigEndian = rest.first == ">"
      if let first = rest.first, "<>=|".contains(first) { rest = rest.dropFirst() }
      guard let letter = rest.first, let size = Int(rest.dropFirst()), size > 0, size <= 4096 else {
        return nil
      }
      self.letter = letter
      switch letter {
      case "i", "u": byteCount = size
      case "U": byteCount = 4 * size
      case "S": byteCount = size
      default: return nil
      }
      if "iu".contains(letter), ![1, 2, 4, 8].contains(size) { return nil }
    }

    func text(_ field: UnsafeRawBufferPointer) -> String? {
      switch letter {
      case "S":
        return String(validating: field.prefix { $0 != 0 }, as: UTF8.self)
      case "U":
        var text = String.UnicodeScalarView()
        for index in stride(from: 0, to: field.count, by: 4) {
          let bits = field.loadUnaligned(fromByteOffset: index, as: UInt32.self)
          let value = isBigEndian ? UInt32(bigEndian: bits) : UInt32(littleEndian: bits)
          if value == 0 { break }
          guard let scalar = Unicode.Scalar(value) else { return nil }
          text.append(scalar)
        }
        return String(text)
      default:
        let bytes = isBigEndian ? Array(field) : field.reversed()
        var value: UInt64 = 0
        for byte in bytes { value = value << 8 | UInt64(byte) }
        guard letter == "i" else { return "\(value)" }
        let shift = UInt64(64 - 8 * byteCount)
        return "\(Int64(bitPattern: value << shift) >> Int64(shift))"
      }
    }
  }
}
