/// Reads the fields of a message one after the other, whatever they mean. The bytes may be damaged.
package struct ProtobufFieldReader: Sendable {
  /// A field with its key.
  package struct Field: Sendable, Equatable {
    package let number: UInt64
    /// The value of a varint; nil for other kinds.
    package let integer: UInt64?
    /// The content of a field with a length; nil for other kinds.
    package let content: ArraySlice<UInt8>?
  }

  private var rest: ArraySlice<UInt8>

  package init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

  package var isAtEnd: Bool { rest.isEmpty }

  /// The next field; nil if the bytes end in it, or are none.
  package mutating func next() -> Field? {
    guard let key = varint() else { return nil }
    let number = key >> 3
    switch key & 7 {
    case 0: return varint().map { Field(number: number, integer: $0, content: nil) }
    case 1: return take(8).map { _ in Field(number: number, integer: nil, content: nil) }
    case 2:
      guard let count = varint(), let content = take(count) else { return nil }
      return Field(number: number, integer: nil, content: content)
    case 5: return take(4).map { _ in Field(number: number, integer: nil, content: nil) }
    default: return nil
    }
  }

  private mutating func varint() -> UInt64? {
    var value: UInt64 = 0
    for (position, byte) in rest.prefix(10).enumerated() {
      value |= UInt64(byte & 0x7F) << (7 * UInt64(position))
      if byte < 0x80 {
        rest = rest.dropFirst(position + 1)
        return value
      }
    }
    return nil
  }

  private mutating func take(_ count: UInt64) -> ArraySlice<UInt8>? {
    guard count <= UInt64(rest.count) else { return nil }
    defer { rest = rest.dropFirst(Int(count)) }
    return rest.prefix(Int(count))
  }
}
