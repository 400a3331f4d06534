import Foundation

/// The header of a safetensors file: its tensors with their offsets, and its metadata.
///
/// A file is 8 bytes with the length of the header, a JSON header padded with spaces to a multiple
/// of 8, then the tensors' little-endian values without gaps.
///
/// - Source: the format's description in huggingface/safetensors.
package struct SafetensorsHeader: Sendable, Equatable {
  /// The types of values, by their names in the format.
  package enum ElementType: String, Sendable, Codable {
    case float16 = "F16"
    case bfloat16 = "BF16"
    case float32 = "F32"
    case float64 = "F64"
    case bool = "BOOL"
    case int8 = "I8"
    case uint8 = "U8"
    case int16 = "I16"
    case uint16 = "U16"
    case int32 = "I32"
    case uint32 = "U32"
    case int64 = "I64"
    case uint64 = "U64"

    package var byteCount: Int {
      switch self {
      case .bool, .int8, .uint8: 1
      case .float16, .bfloat16, .int16, .uint16: 2
      case .float32, .int32, .uint32: 4
      case .float64, .int64, .uint64: 8
      }
    }
  }

  /// A named tensor, row-major.
  package struct Tensor: Sendable, Equatable {
    package let name: String
    package let type: ElementType
    package let shape: [Int]

    package init(name: String, type: ElementType = .float32, shape: [Int]) {
      self.name = name
      self.type = type
      self.shape = shape
    }

    /// A matrix.
    package init(name: String, rows: Int, columns: Int) {
      self.init(name: name, shape: [rows, columns])
    }

    package var byteCount: Int { shape.reduce(type.byteCount, *) }
  }

  /// A tensor with the offset of its first value after the header, in bytes.
  package struct Entry: Sendable, Equatable {
    package let tensor: Tensor
    package let offset: Int
  }

  /// Largest size of a header in bytes, so that no file can make its reader use unbounded memory.
  package static let mostBytes = 16 << 20

  package private(set) var entries: [String: Entry] = [:]
  package let metadata: [String: String]
  /// Bytes of all tensors together.
  package private(set) var byteCount = 0

  /// The header of a file with these tensors in this order.
  ///
  /// - Throws: an ``Inconsistency`` if two have the same name.
  package init(_ tensors: [Tensor], metadata: [String: String]) throws(Inconsistency) {
    self.metadata = metadata
    for tensor in tensors {
      let entry = Entry(tensor: tensor, offset: byteCount)
      guard tensor.name != Self.metadataKey,
        entries.updateValue(entry, forKey: tensor.name) == nil
      else {
        throw Inconsistency(problem: "two tensors are called '\(tensor.name.sanitized())'")
      }
      byteCount += tensor.byteCount
    }
  }

  private static let metadataKey = "__metadata__"

  /// The header in its text.
  ///
  /// - Throws: an ``Inconsistency`` with the problem as a clause.
  package static func parse(
    _ text: some Sequence<UInt8>
  ) throws(Inconsistency) -> SafetensorsHeader {
    do {
      return try JSONDecoder().decode(SafetensorsHeader.self, from: Data(text))
    } catch let error as Inconsistency {
      throw Inconsistency(problem: "in its header, \(error.problem)")
    } catch {
      throw Inconsistency(problem: "its header is not a safetensors header")
    }
  }

  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  private struct Description: Codable {
    let type: ElementType
    let shape: [Int]
    let offsets: [Int]

    enum CodingKeys: String, CodingKey {
      case type = "dtype"
      case shape
      case offsets = "data_offsets"
    }
  }
}

extension SafetensorsHeader: Encodable {
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(metadata, forKey: Key(stringValue: Self.metadataKey))
    for (name, entry) in entries {
      let end = entry.offset + entry.tensor.byteCount
      try container.encode(
        Description(
          type: entry.tensor.type, shape: entry.tensor.shape, offsets: [entry.offset, end]),
        forKey: Key(stringValue: name))
    }
  }
}

extension SafetensorsHeader: Decodable {
  /// - Throws: an ``Inconsistency`` unless the tensors follow each other without gaps.
  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    metadata =
      try container.decodeIfPresent(
        [String: String].self, forKey: Key(stringValue: Self.metadataKey)) ?? [:]
    var descriptions: [(name: String, Description)] = []
    for key in container.allKeys where key.stringValue != Self.metadataKey {
      descriptions.append((key.stringValue, try container.decode(Description.self, forKey: key)))
    }
    for (name, description) in descriptions {
      guard description.offsets.count == 2, description.offsets[0] >= 0,
        let size = Self.byteCount(description.shape, of: description.type),
        description.offsets[1].subtractingReportingOverflow(description.offsets[0])
          == (size, false)
      else {
        throw Inconsistency(
          problem: "the shape of the tensor '\(name.sanitized())' does not match its size")
      }
      entries[name] = Entry(
        tensor: Tensor(name: name, type: description.type, shape: description.shape),
        offset: description.offsets[0])
    }
    let order = entries.values.sorted {
      ($0.offset, $0.tensor.byteCount) < ($1.offset, $1.tensor.byteCount)
    }
    for entry in order {
      guard entry.offset == byteCount else {
        throw Inconsistency(
          problem: "the tensor '\(entry.tensor.name.sanitized())' does not begin where another "
            + "ends")
      }
      byteCount += entry.tensor.byteCount  // no more than an offset that was read
    }
  }

  private static func byteCount(_ shape: [Int], of type: ElementType) -> Int? {
    var product = type.byteCount
    for extent in shape {
      let (next, overflow) = product.multipliedReportingOverflow(by: extent)
      guard extent >= 0, !overflow else { return nil }
      product = next
    }
    return product
  }

  /// An inconsistency in a header.
  package struct Inconsistency: Error {
    package let problem: String
  }
}
