/// A protobuf message as plain fields, to be changed without breaking its form.
public struct ProtobufFields: Sendable {
  enum Value: Sendable {
    case varint(UInt64)
    /// Four or eight bytes.
    case fixed([UInt8])
    case bytes([UInt8])
    /// Bytes that are, or may be, a nested message.
    case message(ProtobufFields)
  }

  typealias Field = (number: UInt64, value: Value)

  var fields: [Field] = []

  init(_ fields: [Field]) { self.fields = fields }

  /// Nil if the bytes do not have the form of a message.
  public init?(_ bytes: ArraySlice<UInt8>, depth: Int = 0) {
    guard depth < 8 else { return nil }
    var rest = bytes
    while !rest.isEmpty {
      guard let key = Self.varint(&rest) else { return nil }
      switch key & 7 {
      case 0:
        guard let number = Self.varint(&rest) else { return nil }
        fields.append((key >> 3, .varint(number)))
      case 1, 5:
        let width = key & 7 == 1 ? 8 : 4
        guard rest.count >= width else { return nil }
        fields.append((key >> 3, .fixed(Array(rest.prefix(width)))))
        rest = rest.dropFirst(width)
      case 2:
        guard let count = Self.varint(&rest), count <= rest.count else { return nil }
        let content = rest.prefix(Int(count))
        let inner = ProtobufFields(content, depth: depth + 1)
        fields.append((key >> 3, inner.map { .message($0) } ?? .bytes(Array(content))))
        rest = rest.dropFirst(Int(count))
      default: return nil
      }
    }
  }

  private static func varint(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
    var value: UInt64 = 0
    for shift in stride(from: 0, to: 64, by: 7) {
      guard let byte = bytes.popFirst() else { return nil }
      value |= UInt64(byte & 0x7F) << UInt64(shift)
      if byte & 0x80 == 0 { return value }
    }
    return nil
  }

  public var bytes: [UInt8] {
    var writer = ProtobufBytes()
    for (number, value) in fields {
      switch value {
      case .varint(let value):
        writer.varint(number << 3)
        writer.varint(value)
      case .fixed(let bytes):
        writer.varint(number << 3 | (bytes.count == 8 ? 1 : 5))
        writer.bytes += bytes
      case .bytes(let bytes):
        writer.varint(number << 3 | 2)
        writer.varint(UInt64(bytes.count))
        writer.bytes += bytes
      case .message(let message):
        let bytes = message.bytes
        writer.varint(number << 3 | 2)
        writer.varint(UInt64(bytes.count))
        writer.bytes += bytes
      }
    }
    return writer.bytes
  }

  /// Changes one field, mostly a nested one.
  public mutating func change(_ random: inout SeededGenerator, donor: ProtobufFields?) {
    guard !fields.isEmpty else { return }
    let index = random.below(fields.count)
    if case .message(var message) = fields[index].value, !random.oneIn(4) {
      message.change(&random, donor: donor)
      fields[index].value = .message(message)
      return
    }
    switch random.below(9) {
    case 0: fields.insert(fields[index], at: random.below(fields.count + 1))
    case 1: fields.remove(at: index)
    case 2: fields.swapAt(index, random.below(fields.count))
    case 3: fields[index].number = UInt64(1 + random.below(random.oneIn(8) ? 1 << 29 : 40))
    case 4:
      // Sometimes more than any limit allows, but within the size of a part.
      let times = random.oneIn(16) ? random.below(5000) : random.below(8)
      let byteCount = max(1, ProtobufFields([fields[index]]).bytes.count)
      fields += Array(repeating: fields[index], count: min(times, (1 << 16) / byteCount))
    case 5: fields[index].value = .varint(InputMutator.integer(&random))
    case 6: fields[index].value = .bytes(Self.text(&random))
    case 7:
      if let field = donor?.anyField(&random) {
        fields.insert(field, at: random.below(fields.count + 1))
      }
    default: fields[index].value = Self.changed(fields[index].value, &random)
    }
  }

  private func anyField(_ random: inout SeededGenerator) -> Field? {
    guard !fields.isEmpty else { return nil }
    let field = random.element(of: fields)
    if case .message(let message) = field.value, random.oneIn(2) {
      return message.anyField(&random) ?? field
    }
    return field
  }

  private static func changed(_ value: Value, _ random: inout SeededGenerator) -> Value {
    switch value {
    case .varint: return .varint(InputMutator.integer(&random))
    case .fixed(let bytes):
      let numbers: [Double] = [
        0, -0.0, -1, 1e308, .infinity, -.infinity, .nan, .leastNonzeroMagnitude,
      ]
      let bits = random.element(of: numbers).bitPattern
      return bytes.count == 8
        ? .fixed((0..<8).map { UInt8(truncatingIfNeeded: bits >> UInt64(8 * $0)) })
        : .fixed(random.bytes(4))
    case .bytes, .message: return .bytes(random.bytes(random.below(40)))
    }
  }

  private static func text(_ random: inout SeededGenerator) -> [UInt8] {
    switch random.below(6) {
    case 0: []
    case 1: [0x61, 0, 0x62]
    case 2: Array("\u{1B}[31mrot\r\n\u{7}".utf8)
    case 3: [0xC3, 0x28]
    case 4: [UInt8](repeating: 0x78, count: random.element(of: [4095, 4096, 4097, 9000]))
    default: Array("worker 0 — ü".utf8)
    }
  }
}
