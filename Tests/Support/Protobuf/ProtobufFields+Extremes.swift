/// Variants of a message with an extreme number, which its sender would never send: one variant for
/// each number and each field.
extension ProtobufFields {
  private static let integers: [UInt64] = [
    0, 1, 2, 5000, 65_535, 65_536, 1 << 24, 1 << 31, (1 << 32) - 1, 1 << 32, 1 << 53, 1 << 62,
    1 << 63, .max,
  ]

  private static let numbers: [Double] = [
    0, -1, .infinity, .nan, .greatestFiniteMagnitude, .leastNonzeroMagnitude,
  ]

  /// Field numbers of messages are below this one. Fields of a header are only changed, never
  /// added, because it declares its content.
  private static let fieldLimit: UInt64 = 20

  /// Variants of a header.
  public var extremes: [[UInt8]] {
    fields.indices.flatMap { index -> [ProtobufFields] in
      // The version of the protocol.
      guard fields[index].number > 1 else { return [] }
      return replacing(index)
    }.map(\.bytes)
  }

  private var variants: [ProtobufFields] {
    fields.indices.flatMap { replacing($0) }
      + (1..<Self.fieldLimit).filter { number in !fields.contains { $0.number == number } }
      .flatMap { number in
        Self.values.map { value in ProtobufFields(fields + [(number, value)]) }
      }
  }

  private func replacing(_ index: Int) -> [ProtobufFields] {
    let number = fields[index].number
    var values: [Value]
    switch fields[index].value {
    case .varint, .fixed: values = Self.values
    case .bytes: values = Self.packed
    case .message(let message): values = message.variants.map { .message($0) } + Self.packed
    }
    if case .fixed = fields[index].value { values += Self.floats }
    return values.map { value in
      var copy = self
      copy.fields[index] = (number, value)
      return copy
    }
  }

  private static let values: [Value] =
    integers.map { .varint($0) } + numbers.map { .fixed(bytes($0.bitPattern)) }

  private static let floats: [Value] = [Float.infinity, .nan, -1, 0].map {
    .fixed(bytes($0.bitPattern))
  }

  /// Lists of one number.
  private static let packed: [Value] =
    integers.map { integer in
      var list = ProtobufBytes()
      list.varint(integer)
      return .bytes(list.bytes)
    } + numbers.map { .bytes(bytes($0.bitPattern)) }

  private static func bytes(_ bits: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: bits.littleEndian) { Array($0) }
  }
}
