internal import CProtobufC

/// Owns the C structs, arrays and strings of one header while it is packed.
struct HeaderArena: ~Copyable {
  private var blocks: [UnsafeMutableRawPointer] = []

  deinit { for block in blocks { block.deallocate() } }

  private mutating func allocate<Element>(
    _ type: Element.Type, count: Int
  ) -> UnsafeMutablePointer<Element> {
    let block = UnsafeMutablePointer<Element>.allocate(capacity: max(count, 1))
    blocks.append(UnsafeMutableRawPointer(block))
    return block
  }

  /// A struct with the defaults that its generated `init` function gives it.
  mutating func make<Message>(
    _ initialize: (UnsafeMutablePointer<Message>?) -> Void
  ) -> UnsafeMutablePointer<Message> {
    let message = allocate(Message.self, count: 1)
    initialize(message)
    return message
  }

  /// A packed array.
  mutating func array<Number: BitwiseCopyable>(_ numbers: [Number]) -> UnsafeMutablePointer<Number>
  {
    let copy = allocate(Number.self, count: numbers.count)
    numbers.withUnsafeBufferPointer { numbers in
      guard let base = numbers.baseAddress else { return }
      copy.initialize(from: base, count: numbers.count)
    }
    return copy
  }

  /// A repeated message: one struct per element, which `fill` completes.
  mutating func list<Element, Message>(
    _ elements: some Collection<Element>,
    of initialize: (UnsafeMutablePointer<Message>?) -> Void,
    fill: (Element, inout Message, inout HeaderArena) -> Void
  ) -> UnsafeMutablePointer<UnsafeMutablePointer<Message>?> {
    let messages = allocate(Message.self, count: elements.count)
    let pointers = allocate(UnsafeMutablePointer<Message>?.self, count: elements.count)
    for (index, element) in elements.enumerated() {
      let message = messages + index
      initialize(message)
      fill(element, &message.pointee, &self)
      (pointers + index).initialize(to: message)
    }
    return pointers
  }

  /// A repeated string.
  mutating func list(_ strings: [String]) -> UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> {
    let pointers = allocate(UnsafeMutablePointer<CChar>?.self, count: strings.count)
    for (index, string) in strings.enumerated() {
      (pointers + index).initialize(to: self.string(string))
    }
    return pointers
  }

  mutating func string(_ string: String) -> UnsafeMutablePointer<CChar> {
    self.string(utf8: string.utf8, count: string.utf8.count)
  }

  /// A sentence for users, cut to the length that receivers accept: a message must not be refused
  /// because its explanation is too long.
  mutating func sentence(_ string: String) -> UnsafeMutablePointer<CChar> {
    let limit = WireLimits.standard.textBytes
    let bytes = Array(string.utf8.prefix(limit + 1))
    guard bytes.count > limit else { return self.string(utf8: bytes, count: bytes.count) }
    let isContinuation = { (byte: UInt8) in byte & 0b1100_0000 == 0b1000_0000 }
    var end = limit
    while end > 0, isContinuation(bytes[end]) { end -= 1 }
    return self.string(utf8: bytes.prefix(end), count: end)
  }

  private mutating func string(
    utf8: some Sequence<UInt8>, count: Int
  ) -> UnsafeMutablePointer<CChar> {
    let copy = allocate(CChar.self, count: count + 1)
    var next = copy
    for byte in utf8 {
      next.initialize(to: CChar(bitPattern: byte))
      next += 1
    }
    next.initialize(to: 0)
    return copy
  }

  /// The bytes of a header whose parts are in the arena.
  func pack<Header: GeneratedHeader>(_ header: UnsafeMutablePointer<Header>) -> Payload {
    let message = UnsafeRawPointer(header).assumingMemoryBound(to: ProtobufCMessage.self)
    let count = protobuf_c_message_get_packed_size(message)
    return Payload.make(UInt8.self, count: count) { buffer in
      _ = protobuf_c_message_pack(message, buffer.baseAddress)
    }
  }
}
