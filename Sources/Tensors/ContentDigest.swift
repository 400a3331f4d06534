/// A 64-bit digest of contents: equal contents give equal digests on every machine, and an
/// accidental change gives another one. It is no defence against somebody who wants a collision.
///
/// Four lanes of xor, multiply and rotate keep up with memory; SplitMix64's finaliser folds them.
package struct ContentDigest {
  private var lanes: (UInt64, UInt64, UInt64, UInt64) = (
    0x243F_6A88_85A3_08D3, 0x1319_8A2E_0370_7344, 0xA409_3822_299F_31D0, 0x082E_FA98_EC4E_6C89
  )

  package init() {}

  /// Adds a run of bytes. Runs are delimited: `ab`, `c` and `a`, `bc` give different digests.
  package mutating func combine(_ bytes: UnsafeRawBufferPointer) {
    var (a, b, c, d) = lanes
    var offset = 0
    while offset + 32 <= bytes.count {
      a = Self.absorb(a, bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      b = Self.absorb(b, bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self))
      c = Self.absorb(c, bytes.loadUnaligned(fromByteOffset: offset + 16, as: UInt64.self))
      d = Self.absorb(d, bytes.loadUnaligned(fromByteOffset: offset + 24, as: UInt64.self))
      offset += 32
    }
    while offset < bytes.count {
      a = Self.absorb(a, UInt64(bytes[offset]))
      offset += 1
    }
    lanes = (a, b, c, Self.absorb(d, UInt64(bytes.count)))
  }

  package mutating func combine(_ text: String) {
    Array(text.utf8).withUnsafeBytes { combine($0) }
  }

  package mutating func combine(_ numbers: [Int32]) {
    numbers.withUnsafeBytes { combine($0) }
  }

  package mutating func combine(_ number: Int) {
    withUnsafeBytes(of: Int64(number).littleEndian) { combine($0) }
  }

  /// The digest of everything so far, as 16 hexadecimal digits.
  package var hexadecimal: String {
    var state = CounterRandom.mix(lanes.0)
    for lane in [lanes.1, lanes.2, lanes.3] { state = CounterRandom.mix(state ^ lane) }
    let digits = String(state, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  private static func absorb(_ lane: UInt64, _ word: UInt64) -> UInt64 {
    let product = (lane ^ UInt64(littleEndian: word)) &* 0x9E37_79B9_7F4A_7C15
    return product << 29 | product >> 35
  }
}
