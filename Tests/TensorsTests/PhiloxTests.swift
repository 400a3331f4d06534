import Tensors
import Testing

@Suite struct PhiloxTests {
  /// From Random123's `kat_vectors`, `philox4x32 10`.
  @Test(
    "equals the authors' known-answer vectors",
    arguments: [
      (
        SIMD4<UInt32>(0, 0, 0, 0), SIMD2<UInt32>(0, 0),
        SIMD4<UInt32>(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8)
      ),
      (
        SIMD4<UInt32>(repeating: 0xffff_ffff), SIMD2<UInt32>(repeating: 0xffff_ffff),
        SIMD4<UInt32>(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd)
      ),
      (
        SIMD4<UInt32>(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344),
        SIMD2<UInt32>(0xa409_3822, 0x299f_31d0),
        SIMD4<UInt32>(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1)
      ),
    ])
  func knownAnswers(counter: SIMD4<UInt32>, key: SIMD2<UInt32>, bits: SIMD4<UInt32>) {
    #expect(Philox.bits(counter: counter, key: key) == bits)
  }

  @Test("integers below a bound are uniform")
  func integers() {
    let random = CounterRandom(seed: 3, stream: .negative, epoch: 4, step: 5)
    var counts = [Int](repeating: 0, count: 7)
    for id in 0..<70_000 { counts[random.integer(below: 7, id: id)] += 1 }
    // Ten standard deviations of a binomial count around 10,000.
    for count in counts { #expect(abs(count - 10_000) < 930) }
  }

  @Test("streams, seeds, epochs and steps give different numbers")
  func keysMatter() {
    let base = CounterRandom(seed: 1, stream: .negative, epoch: 0, step: 0).words(id: 0)
    let others = [
      CounterRandom(seed: 2, stream: .negative), CounterRandom(seed: 1, stream: .noise),
      CounterRandom(seed: 1, stream: .negative, epoch: 1),
      CounterRandom(seed: 1, stream: .negative, step: 1),
    ]
    for other in others { #expect(other.words(id: 0) != base) }
  }
}

@Suite struct PermutationTests {
  @Test("every element comes exactly once", arguments: [1, 2, 3, 4, 5, 17, 64, 1000, 4097])
  func isPermutation(count: Int) {
    for epoch in 0..<3 {
      let permutation = Permutation(count: count, seed: 9, epoch: epoch)
      let elements = (0..<count).map { permutation[$0] }
      #expect(Set(elements) == Set(0..<count))
    }
  }

  @Test("epochs shuffle differently and positions are spread evenly")
  func isShuffled() {
    let count = 1000
    let first = Permutation(count: count, seed: 9, epoch: 0)
    let second = Permutation(count: count, seed: 9, epoch: 1)
    #expect((0..<count).contains { first[$0] != second[$0] })
    // The mean of the first hundred positions, over epochs, is that of a uniform draw.
    var sum = 0.0
    for epoch in 0..<50 {
      let permutation = Permutation(count: count, seed: 9, epoch: epoch)
      for position in 0..<100 { sum += Double(permutation[position]) }
    }
    // Five standard errors: 1000/√12/√5000 ≈ 4.1.
    #expect(abs(sum / 5000 - 499.5) < 21)
  }
}
