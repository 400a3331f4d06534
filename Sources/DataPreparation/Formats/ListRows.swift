import CJansson
import Datasets
import Files
import Foundation

/// The rows of a JSON file of LATTICE or MMSSL: `{"USER": [ITEM, ITEM, …], …}`.
///
/// The file is read as a whole, because it is one value.
final class ListRows: RowReader {
  /// The largest file, bytes of text; the published ones have a few million.
  static let largestFile = 128 << 20

  let roles: Set<ColumnRole> = [.user, .item]
  /// The file has one line; the number of the list serves instead.
  private(set) var lineNumber = 0
  private let root: UnsafeMutablePointer<json_t>
  private var iterator: UnsafeMutableRawPointer?
  private var position = 0
  /// The digits of an item that is a number.
  private let digits: UnsafeMutableBufferPointer<CChar>

  /// - Throws: ``DatasetError`` if the file is too large or no JSON object.
  init(path: String, onRefill: @escaping (ByteStream) throws(DatasetError) -> Void)
    throws(DatasetError)
  {
    let text = ListText(try ByteStream(path: path), onRefill)
    var error = json_error_t()
    let read = withExtendedLifetime(text) {
      json_load_callback(
        { buffer, count, context in
          guard let buffer, let context else { return 0 }
          return Unmanaged<ListText>.fromOpaque(context).takeUnretainedValue()
            .read(UnsafeMutableRawBufferPointer(start: buffer, count: count))
        }, Unmanaged.passUnretained(text).toOpaque(), 0, &error)
    }
    if let problem = text.problem {
      if let read { json_decref(read) }
      throw problem
    }
    guard let read else {
      let reason = withUnsafeBytes(of: error.text) { text in
        String(decoding: text.prefix { $0 != 0 }, as: UTF8.self)
      }
      throw DatasetError(
        .malformed, path: path, line: max(1, Int(error.line)),
        "is not valid JSON: \(reason.sanitized(atMost: 120))")
    }
    guard read.pointee.type == JSON_OBJECT else {
      json_decref(read)
      throw DatasetError(
        .malformed, path: path, "is a JSON value of another kind than {\"USER\": [ITEM, …], …}")
    }
    root = read
    // Only now: nothing is released if the initializer throws.
    digits = .allocate(capacity: 32)
    iterator = json_object_iter(read)
  }

  deinit {
    json_decref(root)
    digits.deallocate()
  }

  func next(_ row: inout SourceRow) throws(DatasetError) -> RowStep {
    while let current = iterator {
      guard let list = json_object_iter_value(current), list.pointee.type == JSON_ARRAY else {
        lineNumber += 1
        advance()
        return .damaged(.other("has no list of items"))
      }
      guard position < json_array_size(list), let item = json_array_get(list, position) else {
        advance()
        continue
      }
      if position == 0 { lineNumber += 1 }
      position += 1
      let key = json_object_iter_key(current)
      row.user = UnsafeRawBufferPointer(
        start: key, count: json_object_iter_key_len(current))
      switch item.pointee.type {
      case JSON_STRING:
        row.item = UnsafeRawBufferPointer(
          start: json_string_value(item), count: json_string_length(item))
      case JSON_INTEGER:
        let text = "\(json_integer_value(item))"
        for (index, byte) in text.utf8.enumerated() { digits[index] = CChar(bitPattern: byte) }
        row.item = UnsafeRawBufferPointer(start: digits.baseAddress, count: text.utf8.count)
      default: return .damaged(.other("has an item that is neither a number nor a text"))
      }
      return .row
    }
    return .end
  }

  private func advance() {
    iterator = json_object_iter_next(root, iterator)
    position = 0
  }
}

/// Delivers the text of a file to the JSON library, and keeps the error that the library cannot
/// carry.
private final class ListText {
  private let stream: ByteStream
  private let onRefill: (ByteStream) throws(DatasetError) -> Void
  private var count = 0
  private(set) var problem: DatasetError?

  init(_ stream: ByteStream, _ onRefill: @escaping (ByteStream) throws(DatasetError) -> Void) {
    self.stream = stream
    self.onRefill = onRefill
  }

  /// - Returns: the number of bytes; -1, as the library's value for an error.
  func read(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
    do throws(DatasetError) {
      let read = try stream.read(into: buffer)
      count += read
      guard count <= ListRows.largestFile else {
        throw DatasetError(
          .malformed, path: stream.path,
          "has more than \(ListRows.largestFile >> 20) MiB of JSON in one value: write it with one "
            + "interaction per line")
      }
      try onRefill(stream)
      return read
    } catch {
      problem = error
      return -1
    }
  }
}
