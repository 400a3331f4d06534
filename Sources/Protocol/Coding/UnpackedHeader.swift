internal import CProtobufC
internal import CWireMessages
import Glibc

/// Owns the parsed form of a header frame and frees it.
struct UnpackedHeader<Header: GeneratedHeader>: ~Copyable {
  private let pointer: UnsafeMutablePointer<Header>

  private init(owning pointer: UnsafeMutablePointer<Header>) {
    self.pointer = pointer
  }

  /// Parses a header frame in bounded memory and checks its protocol version.
  static func parsing(_ frame: Payload, reader: WireReader) throws(WireError) -> UnpackedHeader {
    try reader.checkCount(
      frame.byteCount, atMost: reader.limits.headerBytes, of: "bytes of its header")
    let parsed = frame.withUnsafeBytes {
      Self.unpack($0, withinBytes: reader.limits.decodedHeaderBytes)
    }
    guard let pointer = parsed else {
      throw reader.malformed(
        "its header of \(frame.byteCount) bytes is not a protobuf message that this program knows,"
          + " or its parsed form needs over \(reader.limits.decodedHeaderBytes) bytes",
        "check that the peer is an mrdib process and was given the right address")
    }
    let header = UnpackedHeader(owning: pointer)
    try reader.checkVersion(header.value.protocol_version)
    return header
  }

  var value: Header { pointer.pointee }

  deinit {
    // The memory came from malloc, which protobuf-c's default allocator frees.
    protobuf_c_message_free_unpacked(
      UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: ProtobufCMessage.self), nil)
  }

  /// Two bytes of a message can make protobuf-c allocate sixty. This allocator fails once the
  /// budget is used up, and protobuf-c then gives up.
  private static func unpack(
    _ bytes: UnsafeRawBufferPointer, withinBytes budget: Int
  ) -> UnsafeMutablePointer<Header>? {
    var remaining = budget
    return withUnsafeMutablePointer(to: &remaining) { remaining in
      var allocator = ProtobufCAllocator(
        alloc: { context, size in
          guard let remaining = context?.assumingMemoryBound(to: Int.self),
            size <= remaining.pointee
          else { return nil }
          remaining.pointee -= size
          return malloc(size)
        },
        free: { _, memory in free(memory) },
        allocator_data: remaining)
      // An empty frame may have no address, but protobuf-c does arithmetic on the address.
      var nothing: UInt8 = 0
      return withUnsafePointer(to: &nothing) { nothing in
        let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? nothing
        return Header.unpack(start, count: bytes.count, allocator: &allocator)
      }
    }
  }
}

/// A generated header message: a protobuf-c struct, whose first member is its `ProtobufCMessage`.
protocol GeneratedHeader {
  var protocol_version: UInt32 { get }

  /// Parses `bytes` into memory of `allocator`; nil when they cannot be parsed.
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
