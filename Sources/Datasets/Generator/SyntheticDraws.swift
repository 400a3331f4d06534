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
    case candidate = 12
    case owner = 13
  }

  let seed: UInt64

  func random(_ purpose: Purpose) -> CounterRandom {
    CounterRandom(seed: seed, stream: .generator, epoch: purpose.rawValue)
  }

  /// Standard normal numbers of some ids, `[rows, columns]`.
  func normal(_ purpose: Purpose, rows: Range<Int>, columns: Int) -> Matrix {
    let matrix = Matrix(rows: rows.count, columns: columns)
    for row in rows {
      NormalDistribution.fill(
        matrix.row(row - rows.lowerBound), random: random(purpose), id: row)
    }
    return matrix
  }

  /// −1 or 1 with equal probability for some ids, `[rows, columns]`.
  func signs(_ purpose: Purpose, rows: Range<Int>, columns: Int) -> Matrix {
    let matrix = Matrix(rows: rows.count, columns: columns)
    let random = random(purpose)
    for row in rows {
      for column in 0..<columns {
        matrix[row - rows.lowerBound, column] =
          random.words(id: row, index: column).x & 1 == 0 ? -1 : 1
      }
    }
    return matrix
  }
}
