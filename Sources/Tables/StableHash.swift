/// A hash of text that is the same in every process and release (FNV-1a, 64 bits).
public enum StableHash {
  /// The hash of the UTF-8 bytes of a text.
  public static func of(_ text: String) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return hash
  }
}
