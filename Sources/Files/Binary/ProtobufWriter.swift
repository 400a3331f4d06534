/// Writes messages in the encoding of protocol buffers, for file formats of others that consist of
/// a few of their fields (ONNX, TensorBoard). Messages of this program are those of `Proto`.
///
/// - Source: the encoding of protocol buffers: a field is a key, `number << 3 | kind`, and its
///   content; whole numbers are base-128 varints, little end first.
package struct ProtobufWriter: Sendable {
  /// What was written.
  package private(set) var bytes: [UInt8] = []

  package init() {}

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  private mutating func key(_ field: UInt64, kind: UInt64) { varint(field << 3 | kind) }

  private mutating func append(_ bits: some FixedWidthInteger) {
    withUnsafeBytes(of: bits.littleEndian) { bytes.append(contentsOf: $0) }
  }

  /// A field of a whole number, an enumeration or a truth value.
  package mutating func integer(_ field: UInt64, _ value: Int64) {
    key(field, kind: 0)
    varint(UInt64(bitPattern: value))
  }

  /// A field of 64-bit floating point.
  package mutating func double(_ field: UInt64, _ value: Double) {
    key(field, kind: 1)
    append(value.bitPattern)
  }

  /// A field of 32-bit floating point.
  package mutating func float(_ field: UInt64, _ value: Float) {
    key(field, kind: 5)
    append(value.bitPattern)
  }

  /// A field of bytes.
  package mutating func bytes(_ field: UInt64, _ value: [UInt8]) {
    key(field, kind: 2)
    varint(UInt64(value.count))
    bytes += value
  }

  /// A field of text.
  package mutating func text(_ field: UInt64, _ value: String) { bytes(field, Array(value.utf8)) }

  /// A field of a message.
  package mutating func message(_ field: UInt64, _ write: (inout ProtobufWriter) -> Void) {
    var inner = ProtobufWriter()
    write(&inner)
    bytes(field, inner.bytes)
  }

  /// A packed field of 64-bit floating point.
  package mutating func doubles(_ field: UInt64, _ values: [Double]) {
    key(field, kind: 2)
    varint(UInt64(values.count * 8))
    for value in values { append(value.bitPattern) }
  }
}
