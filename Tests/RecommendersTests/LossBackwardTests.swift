import Recommenders
import Tensors
import TestSupport
import Testing

@Suite("The backward pass of a loss") struct LossBackwardTests {
  /// A loss whose main and auxiliary terms share one parameter.
  private struct Recorded {
    let tape = Tape()
    let shared: Variable
    var loss: Loss

    init(auxiliaryWeight: Float = 5, limit: Float?) {
      shared = tape.parameter(randomMatrix(4, 3, seed: 1))
      let target = tape.constant(randomMatrix(4, 3, seed: 2))
      let distance = tape.meanSquare(tape.subtract(shared, target), count: 4)
      let size = tape.meanSquare(shared, count: 4)
      loss = Loss(terms: [
        .additive("distance", distance, weight: 1),
        LossTerm.additive("size", size, weight: auxiliaryWeight).asAuxiliary(),
      ])
      loss.gate = limit.map { AuxiliaryGate(limit: $0, boundary: []) }
    }

    /// The gradient of the parameter, as bits.
    mutating func gradient(share: Float = 1) -> [UInt32] {
      loss.backward(on: tape, share: share)
      return bits
    }

    mutating func singlePass() -> [UInt32] {
      tape.backward(from: loss.gradientTerms)
      return bits
    }

    private var bits: [UInt32] {
      withExtendedLifetime(self) { shared.gradient?.elements.map(\.bitPattern) ?? [] }
    }
  }

  /// The gradient of all terms at once.
  private func ungated(auxiliaryWeight: Float = 5) -> [UInt32] {
    var recorded = Recorded(auxiliaryWeight: auxiliaryWeight, limit: nil)
    return recorded.singlePass()
  }

  @Test("without a gate, or without auxiliary terms, there is one pass and there are no statistics")
  func singlePass() {
    var open = Recorded(limit: nil)
    #expect(open.gradient() == ungated())
    #expect(open.loss.statistics.isEmpty)
    var alone = Recorded(auxiliaryWeight: 0, limit: 1)
    #expect(alone.gradient() == ungated(auxiliaryWeight: 0))
    #expect(alone.loss.statistics.isEmpty)
  }

  @Test("a gate acts on auxiliary terms and reports what it did, as the shard's share")
  func gated() throws {
    var recorded = Recorded(limit: 0.5)
    let found = recorded.gradient(share: 0.25)
    #expect(found != ungated() && found != ungated(auxiliaryWeight: 0))
    let statistics = recorded.loss.statistics
    #expect(Set(statistics.keys) == ["gate.conflict", "gate.scale"])
    #expect([0, 0.25].contains(try #require(statistics["gate.conflict"])))
    let scale = try #require(statistics["gate.scale"])
    #expect(scale > 0 && scale < 0.25)
  }

  @Test("a closed gate leaves the main terms")
  func closed() {
    var recorded = Recorded(limit: 0)
    #expect(recorded.gradient() == ungated(auxiliaryWeight: 0))
    #expect(recorded.loss.statistics["gate.scale"] == 0)
  }
}
