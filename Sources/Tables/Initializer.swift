import Tensors

/// The initial values of a table's rows. They depend only on (seed, table name, row), never on
/// the server that holds the row.
public enum Initializer: Sendable, Equatable {
  case constant(Float)
  /// Uniform in `±bound`.
  case uniform(bound: Float)
  /// Normal with mean 0.
  case normal(standardDeviation: Float)
  /// Computed from data: the worker that holds shard 0 pushes them before the first step.
  case pushed

  /// Xavier uniform over a matrix of `rows` × `columns`: bound √(6 / (rows + columns)).
  ///
  /// - Source: Glorot and Bengio 2010.
  public static func xavierUniform(rows: Int, columns: Int) -> Initializer {
    .uniform(bound: (6 / Float(rows + columns)).squareRoot())
  }

  /// Xavier normal over a matrix of `rows` × `columns`: variance 2 / (rows + columns).
  public static func xavierNormal(rows: Int, columns: Int) -> Initializer {
    .normal(standardDeviation: (2 / Float(rows + columns)).squareRoot())
  }

  /// The default of a linear layer with `inputs` inputs: uniform in ±1/√inputs, weight and bias.
  public static func linear(inputs: Int) -> Initializer {
    .uniform(bound: 1 / Float(inputs).squareRoot())
  }

  /// Fills the values of one row, `[width]`.
  public func fill(
    _ values: UnsafeMutableBufferPointer<Float>, table: String, row: Int, seed: UInt64
  ) {
    switch self {
    case .constant(let value):
      values.update(repeating: value)
    case .pushed:
      values.update(repeating: 0)
    case .uniform(let bound):
      let random = Self.random(table: table, seed: seed)
      for start in stride(from: 0, to: values.count, by: 4) {
        let words = random.words(id: row, index: start / 4)
        for lane in 0..<min(4, values.count - start) {
          values[start + lane] = (2 * CounterRandom.unit(words[lane]) - 1) * bound
        }
      }
    case .normal(let standardDeviation):
      let random = Self.random(table: table, seed: seed)
      NormalDistribution.fill(values, random: random, id: row)
      for index in values.indices { values[index] *= standardDeviation }
    }
  }

  private static func random(table: String, seed: UInt64) -> CounterRandom {
    CounterRandom(
      seed: seed, stream: .initialization, step: Int(StableHash.of(table) & 0xFFFF_FFFF))
  }
}
