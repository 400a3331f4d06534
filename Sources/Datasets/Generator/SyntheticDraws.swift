internal import Foundation
import Tensors

/// The random numbers of the generator. Each purpose has numbers of its own, so that more noise
/// columns, for example, change neither the latents nor the interactions.
struct SyntheticDraws {
  /// Carried in the epoch of the counter; the raw values are part of every generated data set.
  enum Purpose: Int {
    case shared = 0
    case uniqueVisual = 1
    case uniqueText = 2
    case synergyVisual = 3
    case synergyText = 4
    case visualObservation = 5
    case textObservation = 6
    case visualNoise = 7
    case textNoise = 8
    case user = 9
    case interactionCount = 10
    case choice = 11
  }

  let seed: UInt64

  func random(_ purpose: Purpose) -> CounterRandom {
    CounterRandom(seed: seed, stream: .generator, epoch: purpose.rawValue)
  }

  /// Standard normal numbers, `[rows, columns]`.
  func normal(_ purpose: Purpose, rows: Int, columns: Int) -> Matrix {
    let matrix = Matrix(rows: rows, columns: columns)
    for row in 0..<rows {
      NormalDistribution.fill(matrix.row(row), random: random(purpose), id: row)
    }
    return matrix
  }

  /// −1 or 1 with equal probability, `[rows, columns]`.
  func signs(_ purpose: Purpose, rows: Int, columns: Int) -> Matrix {
    let matrix = Matrix(rows: rows, columns: columns)
    let random = random(purpose)
    for row in 0..<rows {
      for column in 0..<columns {
        matrix[row, column] = random.words(id: row, index: column).x & 1 == 0 ? -1 : 1
      }
    }
    return matrix
  }

  /// Adds standard Gumbel noise to one user's scores of all items, `[I]`: the k largest sums are k
  /// draws without replacement from the softmax of the scores.
  ///
  /// - Source: Vieira 2014, "Gumbel-max trick and weighted reservoir sampling"; Kool, van Hoof and
  ///   Welling 2019, arXiv:1903.06059.
  func addGumbel(to scores: inout [Float], user: Int) {
    let random = random(.choice)
    for start in stride(from: 0, to: scores.count, by: 4) {
      let words = random.words(id: user, index: start / 4)
      for lane in 0..<min(4, scores.count - start) {
        // Strictly between 0 and 1, so that both logarithms are finite.
        let uniform = (Double(words[lane]) + 0.5) * 0x1p-32
        scores[start + lane] -= Float(log(-log(uniform)))
      }
    }
  }
}
