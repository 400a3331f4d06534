/// The checksum of TFRecord files: CRC-32C, rotated and shifted, so that the checksum of data that
/// has checksums in it is sound.
///
/// - Source: CRC-32C (Castagnoli), reflected polynomial 0x82F63B78; the mask of TensorFlow's
///   `lib/hash/crc32c.h`.
package enum MaskedCRC32C {
  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { value, _ in
      value & 1 == 1 ? value >> 1 ^ 0x82F6_3B78 : value >> 1
    }
  }

  /// The checksum before it is masked.
  package static func unmasked(_ bytes: some Sequence<UInt8>) -> UInt32 {
    ~bytes.reduce(~0) { $0 >> 8 ^ table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] }
  }

  package static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
    let value = unmasked(bytes)
    return (value >> 15 | value << 17) &+ 0xA282_EAD8
  }
}
