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

  @Test("the gradient of a table is kept as the rows of its only selection, else whole")
  func tableGradients() throws {
    let tape = Tape()
    let table = randomMatrix(20, 3, seed: 2)
    func gradients(_ selections: [[Int32]], isTable: Bool) throws -> (rows: RowGradient, [Float]) {
      tape.reset()
      let x = isTable ? tape.table(table) : tape.parameter(table)
      tape.backward(
        seeding: selections.enumerated().map { index, rows in
          (tape.gather(x, rows), randomMatrix(rows.count, 3, seed: UInt64(index)))
        })
      let rows = try #require(x.gradientByRows)
      var values: [Float] = []
      for position in rows.rows.indices {
        rows.withRow(at: position) { values += (0..<3).map { [row = $0] in row[$0] } }
      }
      let isKept = isTable && (selections == [[1, 4, 19]] || selections == [[]])
      var contiguous: [Float] = []
      let isContiguous = rows.withContiguousValues { contiguous = Array($0) }
      #expect(isContiguous == isKept && contiguous == (isKept ? values : []))
      #expect((x.gradient == nil) == isKept)
      let whole = try #require(tape.wholeGradient(of: x))
      return (rows, withExtendedLifetime(whole) { values + Array(whole.elements) })
    }
    for selections in [[[1, 4, 19]], [[4, 1]], [[2, 2]], [[1, 4, 19], [0, 4]], [[]]] as [[[Int32]]]
    {
      let (kept, values) = try gradients(selections, isTable: true)
      let (plain, expected) = try gradients(selections, isTable: false)
      #expect(kept.rows == Set(selections.joined()).sorted() && kept.rows == plain.rows)
      #expect(values == expected)
    }
  }

  @Test("gradients of gathered rows are zero elsewhere in every step, whatever was written before")
  func gatheredRowsStayClean() throws {
    let tape = Tape()
    let table = randomMatrix(50, 4, seed: 1)
    /// Gathers the rows, and perhaps uses the whole table or writes to the gradient afterwards.
    func step(_ rows: [Int32], usesAll: Bool = false, writes: Bool = false) throws {
      tape.reset()
      let x = tape.parameter(table)
      let seed = Matrix(rows: rows.count, columns: 4)
      seed.fill(1)
      var seeds = [(variable: tape.gather(x, rows), gradient: seed)]
      if usesAll {
        let all = Matrix(rows: 50, columns: 4)
        all.fill(0.5)
        seeds.append((tape.sum([(x, 1)]), all))
      }
      tape.backward(seeding: seeds)
      for row in 0..<50 {
        let expected = Float(rows.count { $0 == Int32(row) }) + (usesAll ? 0.5 : 0)
        #expect(x.gradient?.row(row).allSatisfy { $0 == expected } == true, "row \(row)")
      }
      let touched = usesAll ? Set(0..<50) : Set(rows.map(Int.init))
      #expect(x.gradientRows == touched.sorted().map { UInt32($0) })
      if writes { try #require(x.takeGradient()).fill(7) }
    }
    try step([3, 9, 3])
    try step([9, 11])
    try step([1], usesAll: true)
    try step([2])
    try step([4], writes: true)
    try step([5, 49, 0])
    let held = tape.heldByteCount
    for row in 0..<20 as Range<Int32> { try step([row]) }
    #expect(tape.heldByteCount == held)
  }
}
