/// How one number of a feature file is stored.
public enum NPYElement: String, Sendable, Codable {
  case float16 = "f2"
  case float32 = "f4"
  case float64 = "f8"

  public var byteCount: Int {
    switch self {
    case .float16: 2
    case .float32: 4
    case .float64: 8
    }
  }

  /// The value of an IEEE 754 half-precision number.
  ///
  /// Moving the bits into place leaves the exponent 112 too low, for subnormal numbers as well;
  /// one exact product mends both. (`Float16` does not exist on every platform.)
  @inline(__always)
  static func float(half bits: UInt16) -> Float {
    let magnitude = UInt32(bits & 0x7FFF) << 13
    let sign = UInt32(bits & 0x8000) << 16
    let isFinite = bits & 0x7C00 != 0x7C00
    let value =
      isFinite
      ? Float(bitPattern: magnitude) * 0x1p112 : Float(bitPattern: magnitude | 0x7F80_0000)
    return Float(bitPattern: value.bitPattern | sign)
  }
}
