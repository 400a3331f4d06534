import Foundation
import Recommenders
import Tensors
import Testing

@Suite struct CodeInformationTests {
  /// Two codes of four columns whose first `shared` columns correlate by ρ = 0.9.
  private static func codes(items: Int, shared: Int) -> (ModalityCodes, ModalityCodes) {
    let matrices = (0..<2).map { id -> Matrix in
      let matrix = Matrix(rows: items, columns: 4)
      for row in 0..<items {
        NormalDistribution.fill(
          matrix.row(row), random: CounterRandom(seed: 7, stream: .generator, epoch: id), id: row)
      }
      return matrix
    }
    for row in 0..<items {
      for column in 0..<shared {
        matrices[1][row, column] =
          0.9 * matrices[0][row, column] + Float(0.19).squareRoot() * matrices[1][row, column]
      }
    }
    return (
      ModalityCodes(name: "visual", vectors: matrices[0]),
      ModalityCodes(name: "text", vectors: matrices[1])
    )
  }

  @Test("both estimates find the information of correlated columns", arguments: [0, 2])
  func correlated(shared: Int) throws {
    let (first, second) = Self.codes(items: 1500, shared: shared)
    // −½ ln(1 − .9²) = .830 nats per column.
    let truth = Double(shared) * 0.8304
    let gaussian = GaussianInformation(first, second, seed: 1)
    #expect(abs(gaussian.heldOut - truth) < 0.12, "\(gaussian)")
    #expect(abs(gaussian.formula - truth) < 0.12, "\(gaussian)")
    let discriminator = try DiscriminatorInformation(first, second, seed: 1)
    #expect(discriminator.value < truth + 0.15, "\(discriminator)")
    #expect(discriminator.value > 0.7 * truth - 0.05, "\(discriminator)")
    #expect(abs(discriminator.limit - log(300)) < 1e-9)
  }

  @Test("codes that do not vary hold no information, and wide ones are reduced")
  func degenerate() throws {
    let constant = ModalityCodes(name: "text", vectors: Matrix(rows: 60, columns: 3))
    let (first, _) = Self.codes(items: 60, shared: 0)
    #expect(abs(GaussianInformation(first, constant, seed: 1).heldOut) < 1e-6)
    #expect(try abs(DiscriminatorInformation(first, constant, seed: 1).value) < 0.2)
    let wide = Matrix(rows: 40, columns: ModalityCodes.mostColumns + 20)
    for row in 0..<40 { wide[row, row] = Float(row) }
    let reduced = ModalityCodes(name: "visual", vectors: wide).standardized
    #expect(reduced.vectors.columns == ModalityCodes.mostColumns)
    // 40 items span at most 39 directions, so all distances are kept.
    #expect(reduced.isFinite)
    let lengths = (0..<40).map { row in reduced.vectors.row(row).reduce(0) { $0 + $1 * $1 } }
    #expect(lengths[39] > 30 * lengths[1])
  }
}
