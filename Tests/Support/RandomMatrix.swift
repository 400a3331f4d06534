import Tensors

/// A matrix of standard normal numbers times `scale`; the same for the same seed.
public func randomMatrix(_ rows: Int, _ columns: Int, seed: UInt64, scale: Float = 1) -> Matrix {
  let matrix = Matrix(rows: rows, columns: columns)
  let random = CounterRandom(seed: seed, stream: .generator)
  NormalDistribution.fill(matrix.elements, random: random, id: rows &* 1000 &+ columns)
  for index in 0..<matrix.count { matrix.pointer[index] *= scale }
  return matrix
}
