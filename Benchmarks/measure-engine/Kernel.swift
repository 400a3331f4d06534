import CostModel
import Tensors

/// A piece of the engine's work that is repeated until its time can be measured.
struct Kernel {
  let group: String
  let name: String
  let unit: Unit
  /// Floating point operations, or bytes that it must read and write, of one call.
  let amount: Double
  let run: () throws -> Void

  enum Unit: String, Encodable {
    case gigaflops = "GFLOP/s"
    case gigabytes = "GB/s"
  }

  /// Work per second of processor time: what else the machine does counts as little as possible.
  func rate(seconds: Double) throws -> Double {
    try run()
    let time = ProcessorTime()
    var calls = 0
    repeat {
      try run()
      calls += 1
    } while time.elapsed < seconds
    return amount * Double(calls) / time.elapsed / 1e9
  }
}

/// What is printed of a kernel.
struct KernelResult: Encodable {
  let group: String
  let name: String
  let unit: Kernel.Unit
  /// One per round.
  var rates: [Double] = []

  init(_ kernel: Kernel) {
    group = kernel.group
    name = kernel.name
    unit = kernel.unit
  }
}

/// Random numbers for the inputs of kernels.
enum Inputs {
  private static let random = CounterRandom(seed: 1, stream: .generator)

  /// Uniform in ±0.5.
  static func matrix(_ rows: Int, _ columns: Int, id: Int = 0) -> Matrix {
    let matrix = Matrix(rows: rows, columns: columns)
    for index in 0..<matrix.count {
      matrix.elements[index] = random.uniform(id: id, index: index) - 0.5
    }
    return matrix
  }

  /// `count` distinct numbers below `limit`, ascending.
  static func rows(_ count: Int, below limit: Int, id: Int) -> [Int32] {
    var chosen = Set<Int32>(minimumCapacity: count)
    var index = 0
    while chosen.count < min(count, limit) {
      chosen.insert(Int32(random.integer(below: limit, id: id, index: index)))
      index += 1
    }
    return chosen.sorted()
  }
}
