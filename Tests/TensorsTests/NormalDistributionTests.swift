import Foundation
import Tensors
import Testing

@Suite struct NormalDistributionTests {
  /// The same transform with the system's `log`, `sin` and `cos`.
  private func plain(_ random: CounterRandom, id: Int, count: Int) -> [Double] {
    (0..<count).map { index in
      let words = random.words(id: id, index: index / 4)
      let lane = index % 4
      let (radiusWord, angleWord) = lane < 2 ? (words.x, words.y) : (words.z, words.w)
      let radius = (-2 * log(Double((radiusWord >> 8) + 1) * 0x1p-24)).squareRoot()
      let angle = 2 * Double.pi * Double(CounterRandom.unit(angleWord))
      return radius * (lane % 2 == 0 ? cos(angle) : sin(angle))
    }
  }

  @Test("agrees with the transform in double precision", arguments: [1, 4, 63, 64, 65, 200])
  func agreesWithPlainTransform(count: Int) {
    for id in [0, 7, 123_456] {
      let random = CounterRandom(seed: 5, stream: .noise, epoch: 2, step: 3)
      let values = UnsafeMutableBufferPointer<Float>.allocate(capacity: count)
      defer { values.deallocate() }
      NormalDistribution.fill(values, random: random, id: id)
      for (found, expected) in zip(values, plain(random, id: id, count: count)) {
        #expect(abs(Double(found) - expected) < 2e-6 * max(1, abs(expected)))
      }
    }
  }

  @Test("mean, variance, skewness and tails are those of N(0, 1)")
  func moments() {
    let count = 64
    let values = UnsafeMutableBufferPointer<Float>.allocate(capacity: count)
    defer { values.deallocate() }
    var (sum, squares, cubes, beyond) = (0.0, 0.0, 0.0, 0)
    let rows = 5000
    for id in 0..<rows {
      NormalDistribution.fill(
        values, random: CounterRandom(seed: 1, stream: .noise), id: id)
      for value in values.map(Double.init) {
        sum += value
        squares += value * value
        cubes += value * value * value
        if abs(value) > 3 { beyond += 1 }
      }
    }
    let total = Double(rows * count)
    // Five standard errors each.
    #expect(abs(sum / total) < 5 / total.squareRoot())
    #expect(abs(squares / total - 1) < 5 * (2 / total).squareRoot())
    #expect(abs(cubes / total) < 5 * (15 / total).squareRoot())
    #expect(abs(Double(beyond) / total - 0.0026998) < 5 * (0.0027 / total).squareRoot())
  }
}
