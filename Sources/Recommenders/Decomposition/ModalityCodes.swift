internal import Foundation
import Tensors

/// The vectors of one modality for all items: what a decomposition measures.
package struct ModalityCodes: Sendable {
  /// The modality, such as `visual`.
  package let name: String
  /// `[I, D]`.
  package let vectors: Matrix

  package init(name: String, vectors: Matrix) {
    self.name = name
    self.vectors = vectors
  }

  /// Wider codes are replaced by as many principal components, so that a measurement costs the same
  /// for features of any width.
  package static let mostColumns = 128

  /// Whether every number is finite.
  package var isFinite: Bool {
    withExtendedLifetime(vectors) { vectors.elements.allSatisfy(\.isFinite) }
  }

  /// The codes with mean 0 per column and a root mean square of 1 over all elements: what a linear
  /// map does to all items alike carries no information. Columns keep their proportions, because a
  /// model that gives some directions more length says that they matter more.
  package var standardized: ModalityCodes {
    let centred = Matrix(rows: vectors.rows, columns: vectors.columns)
    var means = [Double](repeating: 0, count: vectors.columns)
    for row in 0..<vectors.rows {
      for (column, value) in vectors.row(row).enumerated() { means[column] += Double(value) }
    }
    var squares = 0.0
    for row in 0..<vectors.rows {
      let target = centred.row(row)
      for (column, value) in vectors.row(row).enumerated() {
        let difference = Double(value) - means[column] / Double(vectors.rows)
        squares += difference * difference
        target[column] = Float(difference)
      }
    }
    let scale = squares > 0 ? Float((Double(centred.count) / squares).squareRoot()) : 1
    for index in 0..<centred.count { centred.pointer[index] *= scale }
    guard centred.columns > Self.mostColumns else {
      return ModalityCodes(name: name, vectors: centred)
    }
    return ModalityCodes(
      name: name,
      vectors: PrincipalComponents.scores(of: centred, count: Self.mostColumns)
    ).standardized
  }
}

/// The directions of a matrix in which its rows differ most.
///
/// - Source: Halko, Martinsson and Tropp 2011, arXiv:0909.4061, algorithm 4.4 (randomized subspace
///   iteration).
enum PrincipalComponents {
  /// Enough for spectra that fall as slowly as those of features.
  private static let iterations = 8

  /// The rows' coordinates along the first components, `[rows, count]`.
  ///
  /// - Parameter matrix: `[rows, columns]`, columns with mean 0.
  /// - Precondition: `count <= columns`.
  static func scores(of matrix: Matrix, count: Int) -> Matrix {
    precondition(count <= matrix.columns, "\(count) components of \(matrix.shape)")
    let basis = Matrix(rows: count, columns: matrix.columns)
    let random = CounterRandom(
      seed: 0, stream: .decomposition, epoch: DecompositionDraw.components.rawValue)
    for row in 0..<count { NormalDistribution.fill(basis.row(row), random: random, id: row) }
    let scores = Matrix(rows: matrix.rows, columns: count)
    for _ in 0..<iterations {
      orthonormalize(basis)
      BLAS.multiply(.init(matrix), .init(basis), transposeB: true, into: .init(scores))
      BLAS.multiply(.init(scores), transposeA: true, .init(matrix), into: .init(basis))
    }
    orthonormalize(basis)
    BLAS.multiply(.init(matrix), .init(basis), transposeB: true, into: .init(scores))
    return scores
  }

  /// Gram–Schmidt, twice per row for the sake of rounding. A row that depends on the rows before it
  /// becomes 0.
  private static func orthonormalize(_ basis: Matrix) {
    let width = basis.columns
    for row in 0..<basis.rows {
      let current = basis.pointer + row * width
      let before = BLAS.dot(current, current, count: width).squareRoot()
      for _ in 0..<2 {
        for earlier in 0..<row {
          let other = basis.pointer + earlier * width
          BLAS.accumulate(
            other, scaledBy: -BLAS.dot(other, current, count: width), into: current, count: width)
        }
      }
      let norm = BLAS.dot(current, current, count: width).squareRoot()
      let scale = norm > 1e-5 * before ? 1 / norm : 0
      for column in 0..<width { current[column] *= scale }
    }
  }
}

/// What the random numbers of a decomposition are for; carried in the epoch of the counter.
enum DecompositionDraw: Int {
  /// The first basis of the principal components.
  case components = 0
  /// The first values of a probe's maps.
  case maps = 1
  /// The order of users in a round of fitting.
  case order = 2
  /// Which interactions of a user are predicted from the others.
  case targets = 3
  /// Resamples of users.
  case resample = 4
  /// The folds of items.
  case folds = 5
  /// The first values of the discriminator's maps.
  case discriminator = 6
  /// The noise on codes while the discriminator is fitted.
  case noise = 7
}
