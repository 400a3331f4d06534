internal import CProtobufC
internal import CWireMessages

/// What the coding needs to know of a generated header message.
///
/// A conforming type is a protobuf-c struct, whose first member is its `ProtobufCMessage`.
protocol GeneratedHeader {
  var protocol_version: UInt32 { get }

  /// The parsed form of `bytes` in memory of `allocator`; nil when it cannot be parsed.
  static func unpack(
    _ bytes: UnsafePointer<UInt8>?, count: Int,
    allocator: UnsafeMutablePointer<ProtobufCAllocator>
  ) -> UnsafeMutablePointer<Self>?
}

extension Mrdib__V1__DataHeader: GeneratedHeader {
  static func unpack(
    _ bytes: UnsafePointer<UInt8>?, count: Int,
    allocator: UnsafeMutablePointer<ProtobufCAllocator>
  ) -> UnsafeMutablePointer<Self>? {
    mrdib__v1__data_header__unpack(allocator, count, bytes)
  }
}

extension Mrdib__V1__ControlHeader: GeneratedHeader {
  static func unpack(
    _ bytes: UnsafePointer<UInt8>?, count: Int,
    allocator: UnsafeMutablePointer<ProtobufCAllocator>
  ) -> UnsafeMutablePointer<Self>? {
    mrdib__v1__control_header__unpack(allocator, count, bytes)
  }
}
