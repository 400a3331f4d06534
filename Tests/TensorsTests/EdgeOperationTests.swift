import Tensors
import TestSupport
import Testing

/// Operations over the edges of a graph against finite differences.
@Suite struct EdgeOperationTests {
  /// Node 2 has no incoming edge, and node 1 has no outgoing edge.
  private let edges = EdgeList(
    SparseMatrix(
      rows: 4, columns: 3,
      entries: [(0, 0, 9), (0, 2, 9), (1, 0, 9), (3, 2, 9), (3, 0, 9)]))

  @Test("edges are numbered target by target, and values are ignored")
  func numbering() {
    #expect(edges.targets == [0, 0, 1, 3, 3])
    #expect(edges.sources == [0, 2, 0, 0, 2])
    #expect(edges.edges(to: 2).isEmpty)
  }

  @Test("propagation with constant weights is the product with a sparse matrix")
  func agreesWithSparseProduct() {
    let values: [Float] = [0.5, -1, 2, 0.25, 3]
    let tape = Tape()
    let x = tape.constant(randomMatrix(3, 70, seed: 1))
    let weights = tape.constant(Matrix(rows: 5, columns: 1, elements: values))
    let matrix = SparseMatrix(
      rows: 4, columns: 3, offsets: edges.offsets, indices: edges.sources, values: values)
    #expect(
      Array(tape.multiply(edges, weights: weights, x).value.elements)
        == Array(tape.multiply(matrix, x).value.elements))
  }

  @Test("propagation: weights and vectors, used twice", arguments: [1, 5, 70])
  func product(width: Int) {
    let error = gradientError([randomMatrix(5, 1, seed: 1), randomMatrix(3, width, seed: 2)]) {
      tape, x in
      let once = tape.multiply(edges, weights: x[0], x[1])
      let twice = tape.multiply(edges, weights: x[0], tape.rows(once, 0..<3))
      return tape.add(probe(tape, once), probe(tape, twice))
    }
    #expect(error < 5e-3)
  }

  @Test("attention weights sum to 1 for every target that has edges")
  func attentionSums() {
    let tape = Tape()
    let logits = tape.constant(randomMatrix(5, 1, seed: 1, scale: 60))
    let attention = tape.edgeSoftmax(logits, over: edges)
    for target in [0, 1, 3] {
      let sum = edges.edges(to: target).reduce(0) { $0 + attention.value.pointer[$1] }
      #expect(abs(sum - 1) < 1e-6)
    }
  }

  @Test("attention over the edges to a target")
  func attention() {
    let error = gradientError([randomMatrix(5, 1, seed: 1)]) { tape, x in
      probe(tape, tape.edgeSoftmax(x[0], over: edges))
    }
    #expect(error < 2e-3)
  }

  @Test("the largest scaled column, away from ties; 0 where all are negative")
  func largestProduct() {
    let indices: [Int32] = [0, 2, 0, 1]
    let first = Matrix(rows: 4, columns: 1, elements: [0.5, 1, 2, 1])
    let second = Matrix(rows: 4, columns: 1, elements: [1, 0.3, 1, 1])
    let scales = Matrix(rows: 3, columns: 2, elements: [1, 2, -1, -2, 3, 1])
    let tape = Tape()
    let value = tape.largestProduct(
      [tape.constant(first), tape.constant(second)], scales: tape.constant(scales), [0, 2, 1, 1])
    #expect(Array(value.value.elements) == [2, 3, 0, 0])
    // Away from ties: the third element has 2 · 1 against 1 · 2.
    first.pointer[2] = 3
    let error = gradientError([first, second, scales]) { tape, x in
      probe(tape, tape.largestProduct([x[0], x[1]], scales: x[2], indices))
    }
    #expect(error < 5e-3)
  }

  @Test("leaky ReLU away from its corner", arguments: [(1, 1), (5, 4), (33, 8)])
  func leakyReLU(rows: Int, width: Int) {
    let input = randomMatrix(rows, width, seed: 1, scale: 2)
    for index in 0..<input.count where abs(input.pointer[index]) < 0.1 {
      input.pointer[index] = 0.2
    }
    let error = gradientError([input]) { tape, x in probe(tape, tape.leakyReLU(x[0], slope: 0.1)) }
    #expect(error < 5e-3)
  }

  @Test("two backward passes give the same gradients, bit for bit")
  func playedBackTwice() throws {
    let tape = Tape()
    let x = tape.parameter(randomMatrix(3, 8, seed: 1))
    let scales = tape.parameter(randomMatrix(3, 2, seed: 2))
    let nodes = tape.concatenateRows([x, tape.leakyReLU(tape.rows(x, 0..<1))])
    let logits = tape.rowDot(nodes, edges.targets, x, edges.sources)
    let attention = tape.edgeSoftmax(logits, over: edges)
    let weights = tape.largestProduct(
      [attention, logits], scales: scales, edges.sources)
    let result = tape.multiply(edges, weights: weights, x)
    let seed = randomMatrix(4, 8, seed: 3)
    var passes: [[Float]] = []
    for _ in 0..<2 {
      tape.backward(seeding: [(result, seed)])
      passes.append(
        Array(try #require(x.gradient).elements) + Array(try #require(scales.gradient).elements))
      tape.clearGradients()
    }
    #expect(passes[0] == passes[1])
    #expect(passes[0].contains { $0 != 0 })
  }
}
