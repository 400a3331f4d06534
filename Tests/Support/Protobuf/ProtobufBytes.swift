/// Writes protobuf directly, to make headers that this program would never send.
public struct ProtobufBytes: Sendable {
  public var bytes: [UInt8] = []

  public init() {}

  public mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7f) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  public func number(_ field: UInt64, _ value: UInt64) -> ProtobufBytes {
    var copy = self
    copy.varint(field << 3)
    copy.varint(value)
    return copy
  }

  public func bytes(_ field: UInt64, _ value: [UInt8]) -> ProtobufBytes {
    var copy = self
    copy.varint(field << 3 | 2)
    copy.varint(UInt64(value.count))
    copy.bytes += value
    return copy
  }

  public func message(_ field: UInt64, _ value: ProtobufBytes) -> ProtobufBytes {
    bytes(field, value.bytes)
  }
}
