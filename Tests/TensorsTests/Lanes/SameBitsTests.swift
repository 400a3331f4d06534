import Tensors
import TestSupport
import Testing

/// Every operation that is computed on lanes: value and gradients have the same bits for any number
/// of them.
@Suite("Operations have the same bits on any number of lanes")
struct SameBitsTests {
  /// No rows, one row, and around the ends of blocks; large enough for several blocks.
  static let rowCounts = [0, 1, 255, 256, 257, 1025, 2500]

  /// The bits of a result and of all gradients, for several numbers of lanes.
  private func check(
    _ inputs: [Matrix], sourceLocation: SourceLocation = #_sourceLocation,
    _ function: (Tape, [Variable]) -> Variable
  ) {
    let results = [1, 2, 3, 5].map { count -> [[UInt32]] in
      let lanes = Lanes(count: count)
      return Lanes.$ofScope.withValue(lanes) {
        let tape = Tape()
        let variables = inputs.map { tape.parameter($0) }
        let output = function(tape, variables)
        let value = output.value.elements.map(\.bitPattern)
        // A second use adds to gradients that exist already.
        let upstream = randomMatrix(output.rows, output.columns, seed: 99)
        let again = randomMatrix(output.rows, output.columns, seed: 98)
        tape.resolve(tape.reductions.map(\.part))
        tape.backward(seeding: [(output, upstream), (output, again)])
        // The largest inputs are worth the lanes.
        #expect(
          lanes.jobCount > 0 || count == 1 || inputs[0].count < 2500 * 64,
          sourceLocation: sourceLocation)
        return [value] + variables.map { $0.gradient?.elements.map(\.bitPattern) ?? [] }
      }
    }
    #expect(
      results.allSatisfy { $0 == results[0] }, "lanes differ", sourceLocation: sourceLocation)
    #expect(!inputs.contains { $0.count > 0 } || results[0].dropFirst().contains { !$0.isEmpty })
  }

  @Test("element by element", arguments: rowCounts)
  func elements(rows: Int) {
    let x = [randomMatrix(rows, 64, seed: 1), randomMatrix(rows, 64, seed: 2)]
    check(x) { $0.sum([($1[0], 2), ($1[1], -0.5), ($1[0], 1)]) }
    check(x) { $0.hadamard($1[0], $1[1]) }
    check(x) { tape, x in
      let squashed = tape.add(tape.sigmoid(x[0]), tape.tanhCap(x[1], 2))
      let cut = tape.add(tape.relu(x[0]), tape.clamp(x[1], -0.5, 0.5))
      return tape.add(tape.leakyReLU(squashed), cut)
    }
    check(x) { $0.add($0.mean($1[0]), $0.mean($1[1])) }
  }

  @Test("rows", arguments: rowCounts)
  func rows(rows: Int) {
    let x = [
      randomMatrix(rows, 64, seed: 1), randomMatrix(rows, 64, seed: 2),
      randomMatrix(rows, 2, seed: 3),
    ]
    let indices = (0..<rows * 2).map { Int32(($0 * 7919 + $0 / 3) % max(1, rows)) }
    let others = (0..<rows * 2).map { Int32(($0 * 104_729) % max(1, rows)) }
    check(x) { tape, x in
      tape.add(tape.gather(x[0], indices), tape.gather(tape.rows(x[1], 0..<rows), others))
    }
    check(x) { $0.rowDot($1[0], indices, $1[1], others) }
    check(x) { tape, x in
      let joined = tape.concatenateColumns([x[0], x[2], x[1]])
      return tape.add(tape.columns(joined, 0..<64), tape.columns(joined, 60..<124))
    }
    check(x) { tape, x in
      let stacked = tape.concatenateRows([x[0], x[1]])
      return tape.rows(stacked, rows / 2..<rows / 2 + rows)
    }
    check(x) { $0.weightedRowSum([$1[0], $1[1]], weights: $1[2]) }
    check(x) { tape, x in
      tape.softmaxFusion(
        [x[0], x[1]], scores: [tape.columns(x[2], 0..<1), tape.columns(x[2], 1..<2)])
    }
    check(x) { $0.rowL2($1[0]) }
    check(x) { $0.orthogonalPart(of: $1[0], to: $1[1]) }
    check([x[0], randomMatrix(1, 64, seed: 4), randomMatrix(1, 64, seed: 5)]) {
      $0.layerNorm($1[0], gain: $1[1], shift: $1[2])
    }
  }

  @Test("products", arguments: rowCounts)
  func products(rows: Int) {
    let x = [
      randomMatrix(rows, 200, seed: 1), randomMatrix(64, 200, seed: 2),
      randomMatrix(1, 64, seed: 3), randomMatrix(200, 64, seed: 4),
    ]
    check(x) { $0.linear($1[0], $1[1], bias: $1[2], biasScale: 0.5) }
    check(x) { tape, x in
      tape.add(
        tape.linear([x[0]], x[1], bias: x[2]), tape.multiply(x[0], x[3]))
    }
    // A wide result is cut by columns.
    check([randomMatrix(32, rows, seed: 5), randomMatrix(rows, 700, seed: 6)]) {
      $0.multiply($1[0], $1[1])
    }
  }

  @Test("losses", arguments: rowCounts)
  func losses(rows: Int) {
    let x = [randomMatrix(rows, 64, seed: 1), randomMatrix(rows, 64, seed: 2)]
    let noise = randomMatrix(rows, 64, seed: 3)
    let margins = [randomMatrix(rows, 1, seed: 4)]
    let indices = (0..<rows * 2).map { Int32(($0 * 7919) % max(1, rows)) }
    check(margins) { $0.rankingLoss($1[0], form: .guarded, count: rows) }
    check(margins) { $0.rankingLoss($1[0], form: .softplus, count: rows) }
    check(x) { $0.gatheredNorm($1[0], indices) }
    check(x) { $0.gatheredHalfSquares($1[0], indices, scale: 0.1) }
    check(x) { tape, x in
      tape.gaussianDivergence(mean: x[0], logVariance: x[1], priorDeviation: 0.7, scale: 0.01)
    }
    check(x) { $0.gaussianSample(mean: $1[0], logVariance: $1[1], noise: noise).sample }
    guard rows > 0 else { return }
    check([margins[0], randomMatrix(rows, 1, seed: 5)]) {
      $0.donskerVaradhan(joint: $1[0], marginal: $1[1])
    }
    check(x) { $0.infoNCE($1[0], $1[1], temperature: 0.2) }
    guard rows < 2500 else { return }
    check(x) {
      $0.symmetricInfoNCE($1[0], $1[1], temperature: 0.2, blockElements: 300 * rows)
    }
  }

  @Test("propagation, with constant weights, learned weights and attention", arguments: rowCounts)
  func propagation(rows: Int) {
    let random = CounterRandom(seed: 3, stream: .generator)
    // A hub, rows without entries, and otherwise about eight entries in a row.
    let entries = (0..<rows * 8).map { index -> (row: Int32, column: Int32, value: Float) in
      let row = index % 5 == 0 ? 0 : random.integer(below: rows, id: index)
      return (
        Int32(row), Int32(random.integer(below: rows, id: index, index: 1)),
        random.uniform(id: index, index: 2)
      )
    }
    let matrix = SparseMatrix(rows: rows, columns: rows, entries: entries)
    let edges = EdgeList(matrix)
    let x = [randomMatrix(rows, 70, seed: 1), randomMatrix(edges.count, 1, seed: 2)]
    check(x) { $0.multiply(matrix, $0.multiply(matrix, $1[0])) }
    check(x) { $0.multiply(edges, weights: $0.edgeSoftmax($1[1], over: edges), $1[0]) }
  }

  @Test("a shared forward pass may be played back for several shards")
  func sharedForward() {
    let x = randomMatrix(2000, 64, seed: 1)
    let tape = Tape()
    let leaf = tape.parameter(x)
    let output = tape.sum([(leaf, 1), (leaf, 1)])
    var gradients: [[Float]] = []
    for _ in 0..<2 {
      tape.backward(seeding: [(output, randomMatrix(2000, 64, seed: 7))])
      gradients.append(leaf.gradient.map { Array($0.elements) } ?? [])
      tape.clearGradients()
    }
    #expect(gradients[0] == gradients[1] && gradients[0].count == x.count)
    #expect(gradients[0][5] == 2 * randomMatrix(2000, 64, seed: 7)[0, 5])
  }
}
