import Tensors
import TestSupport
import Testing

@Suite("Backward passes through a gate") struct GatedBackwardTests {
  /// A small recommender: users and items are tables of which a batch uses some rows; content is a
  /// linear map of features. The auxiliary terms have a map of their own.
  private struct Network {
    typealias Terms = [(variable: Variable, weight: Float)]

    static let features = randomMatrix(20, 12, seed: 4)
    static let userRows: [Int32] = [3, 17, 3, 40, 8, 21]
    static let itemRows: [Int32] = [5, 6, 50, 5, 33, 2]
    static let contentRows: [Int32] = [1, 2, 2, 19, 0, 7]

    var users = randomMatrix(50, 8, seed: 1)
    var items = randomMatrix(60, 8, seed: 2)
    var weight = randomMatrix(8, 12, seed: 3, scale: 0.3)
    var head = randomMatrix(8, 8, seed: 5, scale: 0.5)
    /// Adds a regulariser, whose gradient is dense.
    var isRegularised = false
    /// Content that replaces the map of the features, as a parameter.
    var content: Matrix?

    struct Recording {
      let main: Terms
      let auxiliary: Terms
      let content: Variable
      /// Users, items, weight and head; with given content that instead of the weight.
      let leaves: [Variable]
    }

    func record(on tape: Tape) -> Recording {
      let users = tape.parameter(self.users)
      let items = tape.parameter(self.items)
      let weight = tape.parameter(content ?? self.weight)
      let head = tape.parameter(self.head)
      let content =
        content == nil ? tape.linear(tape.constant(Self.features), weight) : weight
      let scores = tape.add(
        tape.rowDot(users, Self.userRows, items, Self.itemRows),
        tape.rowDot(users, Self.userRows, content, Self.contentRows))
      var main: Terms = [(tape.rankingLoss(scores, form: .softplus, count: 6), 1)]
      if isRegularised { main.append((tape.gatheredNorm(users, Self.userRows), 0.1)) }
      let vectors = tape.linear(tape.gather(content, Self.contentRows), head)
      let auxiliary: Terms = [
        (tape.infoNCE(tape.gather(users, Self.userRows), vectors, temperature: 0.2), 3),
        (tape.meanSquare(content, count: 20), 0.5),
      ]
      tape.resolve(tape.reductions.map(\.part))
      return Recording(
        main: main, auxiliary: auxiliary, content: content, leaves: [users, items, weight, head])
    }
  }

  private func copy(_ matrix: Matrix?) -> Matrix? {
    matrix.map {
      let copy = Matrix(rows: $0.rows, columns: $0.columns)
      copy.copy(from: $0)
      return copy
    }
  }

  /// The gradients of one kind of terms, on a tape of its own.
  private func plain(_ network: Network, _ terms: KeyPath<Network.Recording, Network.Terms>)
    -> [Matrix?]
  {
    let tape = Tape()
    let recording = network.record(on: tape)
    tape.backward(from: recording[keyPath: terms])
    return recording.leaves.map { copy($0.gradient) }
  }

  private func gated(
    _ network: Network, limit: Float, stopsAtContent: Bool = true, on tape: Tape = Tape()
  ) -> (gradients: [Matrix?], summary: Tape.GateSummary) {
    let recording = network.record(on: tape)
    let summary = tape.backward(
      from: recording.main, auxiliary: recording.auxiliary, gate: GradientGate(limit: limit),
      boundary: stopsAtContent ? [recording.content] : [])
    return (recording.leaves.map { copy($0.gradient) }, summary)
  }

  /// The same from two tapes, gated tensor by tensor.
  private func reference(
    _ network: Network, limit: Float
  ) -> (gradients: [Matrix?], decisions: [GradientGate.Decision?]) {
    let main = plain(network, \.main)
    let auxiliary = plain(network, \.auxiliary)
    let decisions = zip(main, auxiliary).map { main, auxiliary in
      main.flatMap { main in
        auxiliary.map { GradientGate(limit: limit).combine($0, into: main) }
      }
    }
    return (zip(main, auxiliary).map { $0 ?? $1 }, decisions)
  }

  /// The network with the present content as a parameter.
  private func cut(_ network: Network) -> Network {
    var cut = network
    cut.content = copy(network.record(on: Tape()).content.value)
    return cut
  }

  /// The reference with content as a tensor that is gated.
  private func referenceAtContent(
    _ network: Network, limit: Float
  ) throws -> (gradients: [Matrix?], decisions: [GradientGate.Decision?]) {
    var (gradients, decisions) = reference(cut(network), limit: limit)
    let tape = Tape()
    let recording = network.record(on: tape)
    tape.backward(seeding: [(recording.content, try #require(gradients[2]))])
    gradients[2] = copy(recording.leaves[2].gradient)
    return (gradients, decisions)
  }

  private func bits(_ matrices: [Matrix?]) -> [[UInt32]?] {
    withExtendedLifetime(matrices) { matrices.map { $0?.elements.map(\.bitPattern) } }
  }

  private func expectEqual(
    _ found: [Matrix?], _ expected: [Matrix?],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    for (found, expected) in zip(found, expected) {
      let (found, expected) = (try #require(found), try #require(expected))
      #expect(relativeDifference(found, expected) < 1e-6, sourceLocation: sourceLocation)
    }
  }

  @Test(
    "one tape has the gradients of two", arguments: [0, 0.3, 1, .infinity] as [Float],
    [false, true])
  func twoTapes(limit: Float, isRegularised: Bool) throws {
    let network = Network(isRegularised: isRegularised)
    let found = gated(network, limit: limit, stopsAtContent: false)
    let expected = reference(network, limit: limit)
    try expectEqual(found.gradients, expected.gradients)
    let decisions = expected.decisions.compactMap { $0 }
    #expect(found.summary.count == decisions.count && decisions.count == 2)
    #expect(found.summary.conflict == Double(decisions.count(where: \.isConflict)) / 2)
    #expect(abs(found.summary.scale - decisions.reduce(0) { $0 + $1.scale } / 2) < 1e-6)
  }

  @Test(
    "the gate at a boundary acts on what is above it", arguments: [0, 0.3, 1, .infinity] as [Float])
  func boundary(limit: Float) throws {
    let network = Network(isRegularised: true)
    let found = gated(network, limit: limit)
    let expected = try referenceAtContent(network, limit: limit)
    try expectEqual(found.gradients, expected.gradients)
    // Users and content.
    #expect(found.summary.count == 2)
  }

  @Test("a parameter and a variable listed twice at the boundary are gated once")
  func repeated() {
    let network = cut(Network())
    let tape = Tape()
    let recording = network.record(on: tape)
    let summary = tape.backward(
      from: recording.main, auxiliary: recording.auxiliary, gate: GradientGate(limit: 0.5),
      boundary: [recording.content, recording.leaves[0], recording.content])
    #expect(summary.count == 2)
    #expect(
      bits(recording.leaves.map(\.gradient)) == bits(gated(network, limit: 0.5).gradients))
  }

  @Test("with a limit of 0, shared tensors have the bits of the main terms alone")
  func closed() {
    for isRegularised in [false, true] {
      let network = Network(isRegularised: isRegularised)
      let main = bits(plain(network, \.main))
      for stops in [false, true] {
        let found = bits(gated(network, limit: 0, stopsAtContent: stops).gradients)
        #expect(found[..<3] == main[..<3])
        // Only auxiliary terms reach the head.
        #expect(main[3] == nil && found[3] == bits(plain(network, \.auxiliary))[3])
      }
    }
  }

  @Test("tensors of the main terms alone keep their bits")
  func untouched() {
    let network = Network()
    #expect(bits(gated(network, limit: 1).gradients)[1] == bits(plain(network, \.main))[1])
  }

  @Test("written rows are known after the gate, and the others are 0")
  func rows() throws {
    let tape = Tape()
    let recording = Network().record(on: tape)
    _ = tape.backward(
      from: recording.main, auxiliary: recording.auxiliary, gate: GradientGate(limit: 1),
      boundary: [recording.content])
    #expect(recording.leaves[0].gradientRows == [3, 8, 17, 21, 40])
    #expect(recording.leaves[1].gradientRows == [2, 5, 6, 33, 50])
    #expect(try #require(recording.leaves[0].gradient).nonZeroRows == [3, 8, 17, 21, 40])
  }

  @Test("a tape that is used again has the same bits and allocates no more buffers")
  func reuse() {
    let tape = Tape()
    for isRegularised in [false, true] {
      let network = Network(isRegularised: isRegularised)
      let first = bits(gated(network, limit: 1, on: tape).gradients)
      tape.reset()
      _ = gated(network, limit: 1, on: tape)
      let held = tape.heldByteCount
      for _ in 0..<5 {
        tape.reset()
        #expect(bits(gated(network, limit: 1, on: tape).gradients) == first)
      }
      #expect(tape.heldByteCount == held)
      tape.reset()
    }
  }

  @Test("after a gated pass, gradients of gathered rows begin with zeros")
  func zerosStay() {
    let tape = Tape()
    _ = gated(Network(), limit: 1, on: tape)
    tape.reset()
    let x = tape.parameter(randomMatrix(50, 8, seed: 1))
    let y = tape.parameter(randomMatrix(60, 8, seed: 1))
    let rows = [tape.gather(x, [2]), tape.gather(y, [4])]
    tape.backward(from: rows.map { (tape.mean($0), 1) })
    #expect(x.gradient?.nonZeroRows == [2] && y.gradient?.nonZeroRows == [4])
  }

  @Test("the gradient is that of the terms weighted by the gate's factors, by finite differences")
  func finiteDifferences() throws {
    let network = Network(isRegularised: true)
    let decisions = try referenceAtContent(network, limit: 0.5).decisions
    let gradients = gated(network, limit: 0.5).gradients
    let tables: [WritableKeyPath<Network, Matrix>] = [\.users, \.items, \.weight, \.head]
    for (index, table) in tables.enumerated() {
      let decision = decisions[index] ?? GradientGate.Decision()
      func value(_ distance: Float, _ direction: Matrix) throws -> Double {
        var moved = network
        let matrix = try #require(copy(network[keyPath: table]))
        BLAS.accumulate(
          direction.pointer, scaledBy: distance, into: matrix.pointer, count: matrix.count)
        moved[keyPath: table] = matrix
        let recording = moved.record(on: Tape())
        func sum(_ terms: Network.Terms) -> Double {
          terms.reduce(0) { $0 + Double($1.variable.scalar) * Double($1.weight) }
        }
        return decision.mainFactor * sum(recording.main)
          + decision.auxiliaryFactor * sum(recording.auxiliary)
      }
      let gradient = try #require(gradients[index])
      for seed in 0..<3 {
        let direction = randomMatrix(gradient.rows, gradient.columns, seed: UInt64(900 + seed))
        let step: Float = 1e-2
        let numeric = try (value(step, direction) - value(-step, direction)) / (2 * Double(step))
        var (analytic, size) = (0.0, 0.0)
        for element in 0..<gradient.count {
          let product = Double(gradient.pointer[element]) * Double(direction.pointer[element])
          analytic += product
          size += product * product
        }
        #expect(abs(numeric - analytic) < 5e-3 * max(size.squareRoot(), 0.05), "leaf \(index)")
      }
    }
  }

  @Test("any number of lanes has the same bits")
  func lanes() {
    var network = Network(isRegularised: true)
    network.users = randomMatrix(9000, 8, seed: 1)
    network.items = randomMatrix(9000, 8, seed: 2)
    let results = [1, 2].map { count in
      let lanes = Lanes(count: count)
      return Lanes.$ofScope.withValue(lanes) {
        let result = bits(gated(network, limit: 1).gradients)
        #expect(count == 1 || lanes.jobCount > 0)
        return result
      }
    }
    #expect(results[0] == results[1])
  }
}
