import CJansson
import Datasets
import Files

/// Reads lines of JSON objects with an id, a text or a whole number, and a list of numbers:
/// `{"id": "B00", "embedding": [0.1, 0.2]}`.
struct JSONFeatureLine: TextFeatures.LineFormat {
  private static let idKeys = ["id", "item_id", "itemID", "asin", "parent_asin"]
  private static let valueKeys = ["embedding", "embeddings", "features", "vector", "values"]

  private let path: String
  private let id = IDBuffer()

  /// The memory of the last id.
  private final class IDBuffer {
    private(set) var bytes = UnsafeMutableRawBufferPointer(start: nil, count: 0)

    func set(_ text: some Collection<UInt8>) {
      bytes.deallocate()
      bytes = .allocate(byteCount: text.count, alignment: 1)
      bytes.copyBytes(from: text)
    }

    deinit { bytes.deallocate() }
  }

  init(path: String) { self.path = path }

  mutating func read(
    _ line: UnsafeMutableRawBufferPointer, number: Int, into values: inout [Float]
  ) throws(DatasetError) -> UnsafeRawBufferPointer? {
    var failure = json_error_t()
    let text = line.baseAddress?.assumingMemoryBound(to: CChar.self)
    let flags = Int(JSON_REJECT_DUPLICATES)
    guard let root = json_loadb(text, line.count, flags, &failure) else {
      let reason = withUnsafeBytes(of: failure.text) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      throw problem(number, "is not a JSON object: \(reason.sanitized(atMost: 120))")
    }
    defer { json_decref(root) }
    guard root.pointee.type == JSON_OBJECT else {
      throw problem(number, "is JSON, but not an object with an id and an embedding")
    }
    guard let id = Self.find(Self.idKeys, in: root) else {
      throw problem(number, "has no 'id'")
    }
    guard let list = Self.find(Self.valueKeys, in: root), list.pointee.type == JSON_ARRAY else {
      throw problem(number, "has no list of numbers called 'embedding'")
    }
    try takeID(id, number)
    let count = json_array_size(list)
    guard count <= FeatureLimits.columns else {
      throw problem(number, "has more than the \(FeatureLimits.columns) values that can be read")
    }
    for index in 0..<count {
      guard let value = json_array_get(list, index), Self.isNumber(value) else {
        throw problem(number, "has something else than a number as value \(index)")
      }
      values.append(Float(json_number_value(value)))
    }
    return UnsafeRawBufferPointer(self.id.bytes)
  }

  private func takeID(
    _ value: UnsafeMutablePointer<json_t>, _ number: Int
  ) throws(DatasetError) {
    switch value.pointee.type {
    case JSON_STRING:
      let text = UnsafeRawBufferPointer(
        start: json_string_value(value), count: json_string_length(value))
      id.set(text)
    case JSON_INTEGER: id.set("\(json_integer_value(value))".utf8)
    default: throw problem(number, "has an 'id' that is neither a text nor a whole number")
    }
  }

  private static func find(
    _ keys: [String], in root: UnsafeMutablePointer<json_t>
  ) -> UnsafeMutablePointer<json_t>? {
    keys.lazy.compactMap { json_object_get(root, $0) }.first
  }

  private static func isNumber(_ value: UnsafeMutablePointer<json_t>) -> Bool {
    value.pointee.type == JSON_INTEGER || value.pointee.type == JSON_REAL
  }

  private func problem(_ number: Int, _ message: String) -> DatasetError {
    DatasetError(.malformed, path: path, line: number, message)
  }
}
