/// Random numbers that are the same in every run of the tests: the same seed and counter always
/// give the same numbers.
///
/// - Source: SplitMix64 (Steele, Lea, Flood).
public struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  /// - Parameter counter: separates inputs of one seed, such as those of a fuzzed parser.
  public init(seed: UInt64, counter: UInt64 = 0) {
    state = Self.mix(seed &* 0x9E37_79B9_7F4A_7C15) ^ Self.mix(counter)
  }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    return Self.mix(state)
  }

  /// A number in `0 ..< bound`; 0 if there is none. Slightly biased for huge bounds, which does not
  /// matter to tests.
  public mutating func below(_ bound: Int) -> Int {
    bound > 1 ? Int(truncatingIfNeeded: next() >> 1) % bound : 0
  }

  /// True once in `count` times on average.
  public mutating func oneIn(_ count: Int) -> Bool { below(count) == 0 }

  public mutating func element<Elements: RandomAccessCollection>(
    of elements: Elements
  ) -> Elements.Element where Elements.Index == Int {
    elements[elements.startIndex + below(elements.count)]
  }

  public mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: next() >> 32) }
  }

  public mutating func values(_ count: Int, in range: ClosedRange<Float> = -1...1) -> [Float] {
    (0..<count).map { _ in Float.random(in: range, using: &self) }
  }

  private static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
