import Tensors
import TestSupport
import Testing

@Suite struct TapeTests {
  @Test("a detached variable passes no gradient")
  func detached() {
    let tape = Tape()
    let x = tape.parameter(randomMatrix(3, 2, seed: 1))
    let y = tape.parameter(randomMatrix(3, 2, seed: 2))
    tape.backward(from: [(tape.mean(tape.add(tape.detached(x), y)), 1)])
    #expect(x.gradient == nil)
    #expect(y.gradient != nil)
  }

  @Test("after the first step a tape allocates no more buffers")
  func buffersAreReused() {
    let tape = Tape()
    func step(rows: Int) {
      tape.reset()
      let x = tape.parameter(randomMatrix(rows, 8, seed: 1))
      let weight = tape.parameter(randomMatrix(4, 8, seed: 2))
      tape.backward(from: [(tape.mean(tape.relu(tape.linear(x, weight))), 1)])
    }
    step(rows: 60)
    let held = tape.heldByteCount
    for rows in [60, 50, 40, 33] { step(rows: rows) }
    #expect(tape.heldByteCount == held)
  }

  @Test("a tape without references is freed, whatever it has recorded")
  func noCycle() {
    weak var forgotten: Tape?
    do {
      let tape = Tape()
      forgotten = tape
      let x = tape.parameter(randomMatrix(3, 8, seed: 1))
      let weight = tape.parameter(randomMatrix(4, 8, seed: 2))
      tape.backward(from: [(tape.mean(tape.sigmoid(tape.linear(x, weight))), 1)])
      #expect(weight.gradient != nil)
    }
    #expect(forgotten == nil)
  }

  @Test("a second use adds to the gradient of the first")
  func gradientsAdd() {
    let tape = Tape()
    let x = tape.parameter(Matrix(rows: 1, columns: 1, elements: [2]))
    tape.backward(from: [(tape.mean(x), 3), (tape.sum([(x, 5)]), 1)])
    #expect(x.gradient?.pointer[0] == 8)
  }

  @Test("a norm over two shards has the gradient of the whole batch")
  func normOverShards() throws {
    let matrix = randomMatrix(6, 4, seed: 5)
    let whole = Tape()
    let wholeX = whole.parameter(matrix)
    let wholeNorm = whole.gatheredNorm(wholeX, [0, 1, 2, 2, 4, 5])
    whole.resolve(whole.reductions.map(\.part))
    whole.backward(from: [(wholeNorm, 1)])

    let shards = [[0, 1, 2], [2, 4, 5]].map { (indices: [Int32]) in
      let tape = Tape()
      let x = tape.parameter(matrix)
      let norm = tape.gatheredNorm(x, indices)
      return (tape, x, norm)
    }
    let total = shards.reduce(0) { $0 + $1.0.reductions[0].part }
    var sum = [Float](repeating: 0, count: matrix.count)
    for (tape, x, norm) in shards {
      tape.resolve([total])
      tape.backward(from: [(norm, 1)])
      let gradient = try #require(x.gradient)
      for index in sum.indices { sum[index] += gradient.pointer[index] }
      #expect(abs(norm.scalar - wholeNorm.scalar) < 1e-6 * wholeNorm.scalar)
    }
    #expect(relativeDifference(sum, try #require(wholeX.gradient).elements) < 1e-6)
  }
}
