import Datasets
import Files

/// Reads lines of JSON objects with an id, a text or a whole number, and a list of numbers:
/// `{"id": "B00", "embedding": [0.1, 0.2]}`.
struct JSONFeatureLine: TextFeatures.LineFormat {
  private let idKeys = ["id", "item_id", "itemID", "asin", "parent_asin"]
    .map { ObjectLine.Key($0) }
  private let valueKeys = ["embedding", "embeddings", "features", "vector", "values"]
    .map { ObjectLine.Key($0) }

  private let path: String
  private let object = ObjectLine()
  private let storage = ObjectLine.ValueStorage()

  init(path: String) { self.path = path }

  mutating func read(
    _ line: UnsafeMutableRawBufferPointer, number: Int, into values: inout [Float]
  ) throws(DatasetError) -> UnsafeRawBufferPointer? {
    if let reason = object.read(UnsafeRawBufferPointer(line)) {
      throw problem(number, "is not a JSON object: \(reason.sanitized(atMost: 240))")
    }
    guard let key = idKeys.first(where: { object.has($0) }) else {
      throw problem(number, "has no 'id'")
    }
    guard object.isID(key), let id = object.text(key, storage: storage) else {
      throw problem(number, "has an 'id' that is neither a text nor a whole number")
    }
    guard let list = valueKeys.first(where: { object.has($0) }) else {
      throw problem(number, "has no list of numbers called 'embedding'")
    }
    if let reason = object.numbers(list, atMost: FeatureLimits.columns, into: &values) {
      throw problem(number, reason)
    }
    return id
  }

  private func problem(_ number: Int, _ message: String) -> DatasetError {
    DatasetError(.malformed, path: path, line: number, message)
  }
}
