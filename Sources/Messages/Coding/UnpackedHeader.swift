internal import CProtobufC
internal import CWireMessages
internal import Glibc

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
    // The memory came from malloc, as protobuf-c's own allocator takes it.
    protobuf_c_message_free_unpacked(
      UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: ProtobufCMessage.self), nil)
  }

  /// protobuf-c takes what a message makes it take (two bytes can cost sixty); this allocator says
  /// no once the budget is spent, which protobuf-c answers by giving up.
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
      // An empty frame may have no address, and protobuf-c adds to the one that it gets.
      var nothing: UInt8 = 0
      return withUnsafePointer(to: &nothing) { nothing in
        let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? nothing
        return Header.unpack(start, count: bytes.count, allocator: &allocator)
      }
    }
  }
}
