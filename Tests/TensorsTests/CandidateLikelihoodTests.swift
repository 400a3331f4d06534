import Foundation
import Tensors
import TestSupport
import Testing

/// Choices among candidates, against the formula in double precision and finite differences.
@Suite struct CandidateLikelihoodTests {
  /// Some anchors repeat, some candidates are chosen several times, groups share rows, and some
  /// rows are not used.
  private func choice(
    anchors: Int, candidates: Int, users: Int, items: Int, groups: Int = 1
  ) -> CandidateChoice {
    CandidateChoice(
      anchors: (0..<anchors * groups).map { Int32(($0 * 5) % users) },
      candidates: (0..<groups).flatMap { group in
        (0..<candidates).map { Int32(($0 * 3 + 1 + group) % items) }
      },
      chosen: (0..<anchors * groups).map {
        Int32($0 / anchors * candidates + $0 * $0 % candidates)
      },
      groups: (0..<groups).map { group in
        .init(
          anchors: group * anchors..<(group + 1) * anchors,
          candidates: group * candidates..<(group + 1) * candidates)
      })
  }

  private func expected(
    _ x: Matrix, _ y: Matrix, _ choice: CandidateChoice, temperature: Double
  ) -> Double {
    func cosine(_ user: Int32, _ item: Int32) -> Double {
      let (a, b) = (x.row(Int(user)), y.row(Int(item)))
      let product = zip(a, b).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
      let squares = [a, b].map { $0.reduce(0.0) { $0 + Double($1) * Double($1) } }
      return product / (squares[0] * squares[1]).squareRoot()
    }
    return choice.groups.reduce(0.0) { total, group in
      group.anchors.reduce(total) { total, anchor in
        let user = choice.anchors[anchor]
        let sum = choice.candidates[group.candidates].reduce(0.0) {
          $0 + exp(cosine(user, $1) / temperature)
        }
        let item = choice.candidates[Int(choice.chosen[anchor])]
        return total + log(sum) - cosine(user, item) / temperature
      }
    }
  }

  @Test(
    "the value is the negative log-likelihood of the soft-max over cosines",
    arguments: [(1, 2, 3), (7, 11, 8), (70, 130, 64)], [1, 5])
  func value(shape: (Int, Int, Int), groups: Int) {
    let (anchors, candidates, width) = shape
    let (users, items) = (anchors + 2, candidates + 1 + (candidates % 3 == 2 ? 1 : 0))
    let (x, y) = (randomMatrix(users, width, seed: 1), randomMatrix(items, width, seed: 2))
    let choice = choice(
      anchors: anchors, candidates: candidates, users: users, items: items, groups: groups)
    #expect(choice.groups.allSatisfy { Set(choice.candidates[$0.candidates]).count == candidates })
    let tape = Tape()
    let loss = tape.candidateLoss(
      tape.constant(x), tape.constant(y), choice: choice, temperature: 0.2, scale: 0.5)
    let expected = expected(x, y, choice, temperature: 0.2) / 2
    #expect(abs(Double(loss.scalar) - expected) < 1e-5 * max(1, expected))
  }

  @Test("gradients of both matrices, repeated rows included", arguments: [0.2, 1.5])
  func gradients(temperature: Double) {
    let choice = choice(anchors: 3, candidates: 6, users: 4, items: 7, groups: 3)
    let error = gradientError(
      [randomMatrix(4, 5, seed: 1), randomMatrix(7, 5, seed: 2)], step: 3e-3
    ) { tape, x in
      tape.candidateLoss(
        x[0], x[1], choice: choice, temperature: Float(temperature), scale: 1 / 9)
    }
    #expect(error < 5e-3)
  }

  @Test("a matrix that is both users and items receives both gradients")
  func sameMatrix() {
    let choice = CandidateChoice(
      anchors: [0, 1, 1], candidates: [1, 2, 3], chosen: [0, 2, 1],
      groups: [.init(anchors: 0..<3, candidates: 0..<3)])
    let error = gradientError([randomMatrix(4, 6, seed: 3)], step: 3e-3) { tape, x in
      tape.candidateLoss(x[0], x[0], choice: choice, temperature: 0.5, scale: 1 / 3)
    }
    #expect(error < 5e-3)
  }

  @Test("without anchors the loss is 0 and nothing has a gradient")
  func noAnchors() {
    let tape = Tape()
    let (x, y) = (
      tape.parameter(Matrix(rows: 0, columns: 3)), tape.parameter(randomMatrix(2, 3, seed: 1))
    )
    let loss = tape.candidateLoss(
      x, y, choice: CandidateChoice(anchors: [], candidates: [], chosen: [], groups: []),
      temperature: 1, scale: 1)
    #expect(loss.scalar == 0)
    tape.backward(from: [(loss, 1)])
    #expect(y.gradient == nil)
  }

  @Test("any number of lanes gives the same bits", arguments: [1, 6])
  func lanes(groups: Int) {
    let (x, y) = (randomMatrix(300, 64, seed: 1), randomMatrix(1200, 64, seed: 2))
    let choice = choice(
      anchors: 512 / groups, candidates: 1000 / groups, users: 300, items: 1199, groups: groups)
    func bits(_ count: Int) -> [Float] {
      Lanes.$ofScope.withValue(Lanes(count: count)) {
        let tape = Tape()
        let (a, b) = (tape.parameter(x), tape.parameter(y))
        let loss = tape.candidateLoss(a, b, choice: choice, temperature: 0.2, scale: 1 / 512)
        tape.backward(from: [(loss, 1)])
        return [loss.scalar]
          + [a, b].flatMap { variable in
            variable.gradient.map { gradient in
              withExtendedLifetime(gradient) { Array(gradient.elements) }
            } ?? []
          }
      }
    }
    let one = bits(1)
    #expect(one.count == 1 + 1500 * 64)
    #expect(bits(2) == one && bits(3) == one)
  }
}
