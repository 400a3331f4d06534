import Messages

/// Writes protobuf by hand, to make headers that this program would never send.
struct ProtobufBytes {
  var bytes: [UInt8] = []

  mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7f) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  func number(_ field: UInt64, _ value: UInt64) -> ProtobufBytes {
    var copy = self
    copy.varint(field << 3)
    copy.varint(value)
    return copy
  }

  func bytes(_ field: UInt64, _ value: [UInt8]) -> ProtobufBytes {
    var copy = self
    copy.varint(field << 3 | 2)
    copy.varint(UInt64(value.count))
    copy.bytes += value
    return copy
  }

  func message(_ field: UInt64, _ value: ProtobufBytes) -> ProtobufBytes {
    bytes(field, value.bytes)
  }

  var payload: Payload { .copying(bytes) }

  /// A header of the current version.
  static let header = ProtobufBytes().number(1, UInt64(ProtocolVersion.current))
}
