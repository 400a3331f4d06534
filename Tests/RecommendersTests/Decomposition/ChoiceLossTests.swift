import Foundation
import Recommenders
import Tensors
import TestSupport
import Testing

@Suite struct ChoiceLossTests {
  private static let popularity: [Float] = [0, 0.5, 1, 0.25, 2]

  /// Two users; the second took two items.
  private static var batch: ChoiceBatch {
    var batch = ChoiceBatch()
    batch.append(history: [1], targets: [0])
    batch.append(history: [0, 3], targets: [2, 4])
    return batch
  }

  /// Sums `[2, 3]`, strength and shift `[1, 3]`, items `[5, 3]`, α.
  private static var parameters: [Matrix] {
    [(2, 3), (1, 3), (1, 3), (5, 3), (1, 1)].enumerated().map { id, shape in
      let matrix = Matrix(rows: shape.0, columns: shape.1)
      NormalDistribution.fill(
        matrix.elements, random: CounterRandom(seed: 3, stream: .generator), id: id)
      return matrix
    }
  }

  private static func loss(_ leaves: [Variable], on tape: Tape) -> Variable {
    let users = tape.shrunkMeans(leaves[0], counts: [1, 2], strength: leaves[1], shift: leaves[2])
    return tape.choiceLoss(
      users: users, items: leaves[3], popularity: (popularity, leaves[4]), batch: batch)
  }

  @Test("the loss is the mean of −ln softmax over the candidates")
  func value() {
    let parameters = Self.parameters
    let tape = Tape()
    let found = Double(Self.loss(parameters.map { tape.constant($0) }, on: tape).scalar)
    var expected = 0.0
    for (user, counts, history, targets) in [(0, 1.0, [1], [0]), (1, 2.0, [0, 3], [2, 4])] {
      let scores = (0..<5).map { item -> Double in
        let product = (0..<3).reduce(0.0) { sum, column in
          let prior = exp(Double(parameters[1][0, column]))
          let mean =
            Double(parameters[0][user, column]) / (counts + prior)
            - Double(parameters[2][0, column])
          return sum + mean * Double(parameters[3][item, column])
        }
        return product + Double(parameters[4][0, 0] * Self.popularity[item])
      }
      let total = (0..<5).filter { !history.contains($0) }.reduce(0) { $0 + exp(scores[$1]) }
      for item in targets { expected += (log(total) - scores[item]) / 3 }
    }
    #expect(abs(found - expected) < 1e-5, "\(found), expected \(expected)")
  }

  @Test("gradients are those of finite differences")
  func gradients() throws {
    let parameters = Self.parameters
    let tape = Tape()
    let leaves = parameters.map { tape.parameter($0) }
    tape.backward(from: [(Self.loss(leaves, on: tape), 1)])
    for (position, parameter) in parameters.enumerated() {
      let gradient = try #require(leaves[position].gradient)
      for index in 0..<parameter.count {
        let original = parameter.pointer[index]
        let values = [Float(0.01), -0.01].map { step in
          parameter.pointer[index] = original + step
          let other = Tape()
          return Self.loss(parameters.map { other.constant($0) }, on: other).scalar
        }
        parameter.pointer[index] = original
        let slope = (values[0] - values[1]) / 0.02
        #expect(abs(slope - gradient.pointer[index]) < 2e-3, "parameter \(position), \(index)")
      }
    }
  }
}
