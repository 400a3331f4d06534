internal import CKernels

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

  /// Copies numbers out as `Float`; those beyond its range become infinite.
  ///
  /// - Parameters:
  ///   - first: the index of the first number.
  ///   - stride: how many numbers further the next one lies.
  /// - Precondition: all of them lie in `bytes`, and `destination` has room for `count` numbers.
  package func convert(
    _ bytes: UnsafeRawBufferPointer, first: Int = 0, stride: Int = 1, count: Int,
    isBigEndian: Bool = false, to destination: UnsafeMutablePointer<Float>
  ) {
    let place = (first, stride, count, isBigEndian)
    switch self {
    case .float16 where stride == 1 && isBigEndian == (UInt16(bigEndian: 1) == 1):
      guard let base = bytes.baseAddress else { return }
      mrdib_widen_half(destination, base + first * byteCount, count)
    case .float16: Self.convert(bytes, place, to: destination) { Self.float(half: $0) }
    case .float32: Self.convert(bytes, place, to: destination) { Float(bitPattern: $0) }
    case .float64: Self.convert(bytes, place, to: destination) { Float(Double(bitPattern: $0)) }
    }
  }

  @inline(__always)
  private static func convert<Bits: FixedWidthInteger & BitwiseCopyable>(
    _ bytes: UnsafeRawBufferPointer,
    _ place: (first: Int, stride: Int, count: Int, isBigEndian: Bool),
    to destination: UnsafeMutablePointer<Float>, _ decode: (Bits) -> Float
  ) {
    let size = MemoryLayout<Bits>.size
    for index in 0..<place.count {
      let bits = bytes.loadUnaligned(
        fromByteOffset: (place.first + index * place.stride) * size, as: Bits.self)
      destination[index] = decode(
        place.isBigEndian ? Bits(bigEndian: bits) : Bits(littleEndian: bits))
    }
  }

  /// The value of an IEEE 754 half-precision number.
  ///
  /// Moving the bits into place leaves the exponent 112 too low, for subnormal numbers as well;
  /// one exact product corrects both. (`Float16` does not exist on every platform.)
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

  /// The nearest IEEE 754 half-precision number, the even one of two; beyond its range infinity.
  static func half(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    let sign = UInt16(truncatingIfNeeded: bits >> 16) & 0x8000
    let magnitude = bits & 0x7FFF_FFFF
    if magnitude > 0x7F80_0000 { return sign | 0x7E00 }
    // From halfway between the largest number and the next power of two.
    if magnitude >= 0x477F_F000 { return sign | 0x7C00 }
    if magnitude >= 0x3880_0000 {
      let rounded = magnitude + 0xFFF + (magnitude >> 13 & 1)
      return sign | UInt16(truncatingIfNeeded: (rounded - 0x3800_0000) >> 13)
    }
    // Subnormal numbers are multiples of 2^-24.
    let count = (Float(bitPattern: magnitude) * 0x1p24).rounded(.toNearestOrEven)
    return sign | UInt16(count)
  }
}
