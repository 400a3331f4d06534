import CKernels
import TestSupport
import Testing

/// Compares the C loops with plain Swift: the same bits for any width and alignment.
@Suite("Row kernels")
struct KernelTests {
  static let widths = [1, 2, 15, 16, 17, 31, 64, 100]
  static let constants = mrdib_adam_constants(
    beta1: 0.9, complement1: 0.1, beta2: 0.999, complement2: 0.001, epsilon: 1e-8)

  /// One number of an Adam row, as the formula reads.
  static func adam(
    _ w: inout Float, _ m: inout Float, _ v: inout Float, gradient g: Float, _ step: mrdib_adam_step
  ) {
    func normal(_ x: Float) -> Float { x.magnitude < .leastNormalMagnitude ? 0 : x }
    m = normal(constants.beta1 * m + constants.complement1 * g)
    v = normal(constants.beta2 * v + constants.complement2 * g * g)
    w -= step.step_size * m / (v.squareRoot() * step.inverse_root + constants.epsilon)
  }

  private static func bits(_ values: [Float]) -> [UInt32] { values.map(\.bitPattern) }

  /// Calls `body` with the values at an unaligned address.
  private static func misaligned(_ values: [Float], _ body: (UnsafeRawPointer) -> Void) {
    let raw = UnsafeMutableRawPointer.allocate(byteCount: values.count * 4 + 1, alignment: 64)
    defer { raw.deallocate() }
    values.withUnsafeBytes {
      raw.advanced(by: 1).copyMemory(from: $0.baseAddress!, byteCount: $0.count)
    }
    body(raw.advanced(by: 1))
  }

  @Test("Adam's update is its formula, bit for bit", arguments: widths)
  func adamUpdate(width: Int) {
    var random = SeededGenerator(seed: 1)
    var row = random.values(width) + random.values(width) + random.values(width, in: 0...1)
    var twin = row
    for number in 1...20 {
      let gradient = random.values(width, in: -0.1...0.1)
      let step = mrdib_adam_step(
        step_size: 0.01 / Float(number), inverse_root: 1 + 1 / Float(number),
        sums: (0, 0, 0), decay1: 0, decay2: 0)
      withUnsafePointer(to: Self.constants) { constants in
        Self.misaligned(gradient) { mrdib_adam_update(&row, $0, width, constants, step) }
      }
      for index in 0..<width {
        var (w, m, v) = (twin[index], twin[width + index], twin[2 * width + index])
        Self.adam(&w, &m, &v, gradient: gradient[index], step)
        (twin[index], twin[width + index], twin[2 * width + index]) = (w, m, v)
      }
      #expect(Self.bits(row) == Self.bits(twin))
    }
  }

  @Test(
    "replayed steps equal updates with a zero gradient, until long after the moments are zero",
    arguments: widths, [1, 2, 31, 32, 33, 1_000, 3_000])
  func replay(width: Int, count: Int) {
    var random = SeededGenerator(seed: 2)
    var row = random.values(width) + random.values(width) + random.values(width, in: 0...1e-30)
    var twin = row
    let zero = [Float](repeating: 0, count: width)
    let steps = (0..<count).map { number in
      mrdib_adam_step(
        step_size: 0.01 / Float(1 + number / 10), inverse_root: 1 + 1 / Float(1 + number),
        sums: (0, 0, 0), decay1: 0, decay2: 0)
    }
    withUnsafePointer(to: Self.constants) { constants in
      mrdib_adam_replay(&row, width, constants, steps, count)
      for step in steps { mrdib_adam_update(&twin, zero, width, constants, step) }
    }
    #expect(Self.bits(row) == Self.bits(twin))
  }

  @Test("a row that no gradient reached does not change, not even the sign of a zero")
  func untouched() {
    var row: [Float] = [-0.0, 0, 1, -1] + [Float](repeating: 0, count: 8)
    let before = Self.bits(row)
    let steps = [mrdib_adam_step](
      repeating: .init(step_size: 0.1, inverse_root: 1, sums: (0, 0, 0), decay1: 0, decay2: 0),
      count: 10)
    withUnsafePointer(to: Self.constants) { constants in
      mrdib_adam_replay(&row, 4, constants, steps, steps.count)
      mrdib_adam_update(&row, [0, 0, 0, 0] as [Float], 4, constants, steps[0])
    }
    #expect(Self.bits(row) == before)
  }

  @Test("Adagrad's update is its formula, bit for bit", arguments: widths)
  func adagrad(width: Int) {
    var random = SeededGenerator(seed: 3)
    var row = random.values(width) + [Float](repeating: 0, count: width)
    var twin = row
    for _ in 0..<10 {
      let gradient = random.values(width)
      Self.misaligned(gradient) { mrdib_adagrad_update(&row, $0, width, 0.1, 1e-10) }
      for index in 0..<width {
        let g = gradient[index]
        twin[width + index] += g * g
        twin[index] -= 0.1 * g / (twin[width + index].squareRoot() + 1e-10)
      }
      #expect(Self.bits(row) == Self.bits(twin))
    }
  }

  @Test("row-wise Adagrad's update is its formula, bit for bit", arguments: widths)
  func rowwiseAdagrad(width: Int) {
    var random = SeededGenerator(seed: 5)
    var row = random.values(width) + [0]
    var twin = row
    for _ in 0..<10 {
      let gradient = random.values(width)
      Self.misaligned(gradient) { mrdib_rowwise_adagrad_update(&row, $0, width, 0.1, 1e-8) }
      // 16 sums, then from the halves on.
      var sums = [Float](repeating: 0, count: 16)
      for (index, g) in gradient.enumerated() { sums[index % 16] += g * g }
      for half in [8, 4, 2, 1] { for lane in 0..<half { sums[lane] += sums[lane + half] } }
      twin[width] += sums[0] / Float(width)
      let multiplier = 0.1 / (twin[width].squareRoot() + 1e-8)
      for index in 0..<width { twin[index] -= multiplier * gradient[index] }
      #expect(Self.bits(row) == Self.bits(twin))
    }
  }

  @Test("SGD, moving average and addition are their formulas, bit for bit", arguments: widths)
  func plainLoops(width: Int) {
    var random = SeededGenerator(seed: 4)
    let start = random.values(width)
    let values = random.values(width)
    var (descended, averaged, added) = (start, start, start)
    Self.misaligned(values) { pointer in
      mrdib_sgd_update(&descended, pointer, width, 0.3)
      mrdib_average_update(&averaged, pointer, width, 0.1)
      mrdib_add(&added, pointer, width)
    }
    let rate: Float = 0.1
    #expect(Self.bits(descended) == Self.bits(zip(start, values).map { $0 - 0.3 * $1 }))
    #expect(
      Self.bits(averaged) == Self.bits(zip(start, values).map { (1 - rate) * $0 + rate * $1 }))
    #expect(Self.bits(added) == Self.bits(zip(start, values).map { $0 + $1 }))
  }

  @Test("the first number that is not finite is found wherever it is")
  func nonfinite() {
    for count in [0, 1, 17, 4096, 4097, 10_000] {
      var values = [Float](repeating: -.greatestFiniteMagnitude, count: count)
      #expect(mrdib_first_nonfinite(values, count) == count)
      for position in [0, count / 2, count - 1] where position >= 0 && position < count {
        for bad in [Float.nan, .infinity, -.infinity] {
          values[position] = bad
          Self.misaligned(values) { #expect(mrdib_first_nonfinite($0, count) == position) }
        }
        values[position] = 1
      }
    }
  }
}
