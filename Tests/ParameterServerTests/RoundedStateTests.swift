import CKernels
import ParameterServer
import Tables
import Tensors
import TestSupport
import Testing

@Suite("States in bfloat16, rounded at random") struct RoundedStateTests {
  static let widths = [1, 2, 15, 16, 17, 64, 65, 100, 200]

  private static func rounding(row: Int, step: Int = 3) -> (CounterRandom, mrdib_rounding) {
    let random = CounterRandom(seed: 5, stream: .stateRounding, epoch: 77, step: step)
    return (
      random,
      mrdib_rounding(
        key0: random.key.x, key1: random.key.y, row: UInt32(row), step: random.step,
        table: random.epoch)
    )
  }

  /// The states of a wide row after they are rounded and widened again.
  private static func rounded(
    _ wide: [Float], width: Int, states: Int, _ rounding: mrdib_rounding
  ) -> [Float] {
    var row = [Float](repeating: .nan, count: width + (width * states + 1) / 2)
    var result = wide
    wide.withUnsafeBufferPointer { wide in
      mrdib_row_round(&row, wide.baseAddress, width, states, rounding)
    }
    mrdib_row_widen(&result, row, width, states)
    return result
  }

  @Test("the kernel is its definition, bit for bit", arguments: widths, [1, 2])
  func definition(width: Int, states: Int) {
    var generator = SeededGenerator(seed: UInt64(width))
    let wide = generator.values(width * (1 + states))
    let (random, numbers) = Self.rounding(row: 12)
    let result = Self.rounded(wide, width: width, states: states, numbers)
    for index in wide.indices {
      var expected = wide[index].bitPattern
      if index >= width {
        let (state, column) = ((index - width) / width, (index - width) % width)
        let words = random.words(id: 12, index: 16 * (column / 64) + column % 16)
        let word = words[2 * state + column % 64 / 32]
        let noise = column % 32 < 16 ? word & 0xFFFF : word >> 16
        expected = (expected + noise) & 0xFFFF_0000
      }
      #expect(result[index].bitPattern == expected, "\(index)")
    }
  }

  @Test("is right on average, and never further off than one of the two neighbours")
  func unbiased() {
    let value: Float = 1 + 0.3 / 128  // between 1 and 1 + 1/128
    let count = 16_000
    var upper = 0
    for row in 0..<count / 32 {
      let wide = [Float](repeating: value, count: 3 * 16)
      let result = Self.rounded(wide, width: 16, states: 2, Self.rounding(row: row).1)
      for number in result[16...] {
        #expect(number == 1 || number == 1 + 1 / 128)
        if number > 1 { upper += 1 }
      }
    }
    // Five standard deviations of 16,000 draws with probability 0.3.
    let deviation = (0.3 * 0.7 * Double(count)).squareRoot()
    #expect(abs(Double(upper) - 0.3 * Double(count)) < 5 * deviation, "\(upper)")
  }

  @Test("what a bfloat16 can be stays, and nothing finite becomes infinite")
  func exactValues() {
    let exact: [Float] = [0, -0.0, 1, -1.5, 0x1p-126, 0x1.FEp127, .infinity, -.infinity]
    for step in 1...50 {
      let numbers = Self.rounding(row: 1, step: step).1
      let result = Self.rounded(
        [Float](repeating: 0, count: exact.count) + exact, width: exact.count, states: 1, numbers)
      #expect(result[exact.count...].map(\.bitPattern) == exact.map(\.bitPattern))
      let others = Self.rounded(
        [0, 0, .greatestFiniteMagnitude, .nan], width: 2, states: 1, numbers)
      #expect(others[2] == 0x1.FEp127 && others[3].isNaN)
    }
  }

  @Test("rows, steps and columns have numbers of their own")
  func independent() {
    let wide = [Float](repeating: 1 + 0.5 / 128, count: 3 * 64)
    func states(_ row: Int, _ step: Int) -> [Float] {
      Array(
        Self.rounded(wide, width: 64, states: 2, Self.rounding(row: row, step: step).1)[64...])
    }
    #expect(states(1, 1) == states(1, 1))
    #expect(states(1, 1) != states(2, 1))
    #expect(states(1, 1) != states(1, 2))
    #expect(states(1, 1)[..<64] != states(1, 1)[64...])
  }

  private static func cluster(
    _ kind: any RowOptimizer, _ moments: MomentPrecision, width: Int = 24, servers: Int = 1
  ) throws -> TestCluster {
    try TestCluster(
      [
        TableSpec(
          name: "w", rows: 40, width: width, initializer: .normal(standardDeviation: 0.02))
      ], servers: servers, kind: kind, rate: LearningRate(0.01), moments: moments,
      schedule: StepSchedule(stepsPerEpoch: 50))
  }

  private static func gradient(_ random: inout SeededGenerator, width: Int = 24) -> RowValues {
    var touched: [Int: [Float]] = [:]
    for row in 0..<40 where Int.random(in: 0..<(1 + row / 2), using: &random) == 0 {
      touched[row] = random.values(width, in: -0.1...0.1)
    }
    return [0: touched]
  }

  @Test(
    "training follows that with float32, with the same bits on any number of servers",
    arguments: [Adam(mode: .closed), Adam(mode: .lazy), Adagrad()] as [any RowOptimizer])
  func followsFloat32(kind: any RowOptimizer) throws {
    var random = SeededGenerator(seed: 4)
    var exact = try Self.cluster(kind, .float32)
    var rounded = try Self.cluster(kind, .bfloat16)
    var spread = try Self.cluster(kind, .bfloat16, servers: 3)
    let start = try exact.pullAll(version: 0)[0]
    for version in 0..<UInt64(150) {
      let gradient = Self.gradient(&random)
      exact.pushEverywhere(gradient, version: version)
      rounded.pushEverywhere(gradient, version: version)
      spread.pushEverywhere(gradient, version: version)
      // Reading changes nothing: only one of them is read.
      if version % 10 == 0 { _ = try spread.pullAll(version: version + 1) }
    }
    let (left, right) = (try exact.pullAll(version: 150)[0], try rounded.pullAll(version: 150)[0])
    #expect(try spread.pullAll(version: 150)[0].map(\.bitPattern) == right.map(\.bitPattern))
    #expect(left != right)
    func distance(_ x: [Float], _ y: [Float]) -> Float {
      zip(x, y).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
    }
    #expect(distance(left, right) < 0.02 * distance(left, start))
  }

  @Test("states take half the memory, also in rows of an odd width", arguments: [1, 7, 64])
  func memory(width: Int) throws {
    for (kind, numbers, tracked) in [
      (Adam(mode: .closed), 2, 4), (Adagrad(), 1, 0),
    ] as [(any RowOptimizer, Int, Int)] {
      let float32 = try Self.cluster(kind, .float32, width: width).servers[0].tableSizes[0].bytes
      let bfloat16 = try Self.cluster(kind, .bfloat16, width: width).servers[0].tableSizes[0].bytes
      #expect(float32 == 40 * (4 * width * (1 + numbers) + tracked))
      // A row ends at a whole float.
      let states = (2 * width * numbers + 3) / 4 * 4
      #expect(bfloat16 == 40 * (4 * width + states + tracked))
    }
  }

  @Test(
    "optimizers for which it makes no sense are refused with the reason",
    arguments: [
      (Adam(mode: .dense), "every step"), (Adam(mode: .lazyExact), "replayed"),
      (RowwiseAdagrad(), "one number per row"), (SGD(), "no state"),
    ] as [(any RowOptimizer, String)])
  func refused(kind: any RowOptimizer, reason: String) throws {
    let error = #expect(throws: ParameterServerError.self) { try Self.cluster(kind, .bfloat16) }
    #expect(error?.code == .configuration)
    for words in [reason, "moment_precision bfloat16", "adam_mode closed"] {
      #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }
  }
}
