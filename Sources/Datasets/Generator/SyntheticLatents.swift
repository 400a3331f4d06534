import Tensors

/// The latent vectors of a generated data set's items, one row per item.
///
///     r, u_v, u_t ~ N(0, I)       shared, unique to visual, unique to text
///     s_v, s_t    ~ uniform ±1    the two halves of the synergy
public struct SyntheticLatents: Sendable {
  /// r, `[I, shared.dimensions]`.
  public let shared: Matrix
  /// u_v, `[I, uniqueVisual.dimensions]`.
  public let uniqueVisual: Matrix
  /// u_t, `[I, uniqueText.dimensions]`.
  public let uniqueText: Matrix
  /// s_v, `[I, synergy.dimensions]`.
  public let synergyVisual: Matrix
  /// s_t, `[I, synergy.dimensions]`.
  public let synergyText: Matrix

  /// The latents of some items.
  init(_ configuration: SyntheticConfiguration, items: Range<Int>) {
    let draws = SyntheticDraws(seed: configuration.seed)
    shared = draws.normal(.shared, rows: items, columns: configuration.shared.dimensions)
    uniqueVisual = draws.normal(
      .uniqueVisual, rows: items, columns: configuration.uniqueVisual.dimensions)
    uniqueText = draws.normal(
      .uniqueText, rows: items, columns: configuration.uniqueText.dimensions)
    synergyVisual = draws.signs(
      .synergyVisual, rows: items, columns: configuration.synergy.dimensions)
    synergyText = draws.signs(
      .synergyText, rows: items, columns: configuration.synergy.dimensions)
  }

  /// The preference vectors: `concat(w_r r, w_uv u_v, w_ut u_t, w_s (s_v ⊙ s_t))`, `[I, Q]`.
  func preferences(_ configuration: SyntheticConfiguration) -> Matrix {
    let synergy = Matrix(rows: synergyVisual.rows, columns: synergyVisual.columns)
    for index in 0..<synergy.count {
      synergy.pointer[index] = synergyVisual.pointer[index] * synergyText.pointer[index]
    }
    return Self.concatenate([
      (shared, configuration.shared.weight),
      (uniqueVisual, configuration.uniqueVisual.weight),
      (uniqueText, configuration.uniqueText.weight),
      (synergy, configuration.synergy.weight),
    ])
  }

  /// Q: the columns of ``preferences(_:)``.
  static func preferenceColumns(_ configuration: SyntheticConfiguration) -> Int {
    configuration.shared.dimensions + configuration.uniqueVisual.dimensions
      + configuration.uniqueText.dimensions + configuration.synergy.dimensions
  }

  /// All latents side by side, in the order of the properties.
  func all() -> Matrix {
    Self.concatenate(
      [shared, uniqueVisual, uniqueText, synergyVisual, synergyText].map { ($0, 1) })
  }

  /// Scaled blocks of columns side by side.
  static func concatenate(_ blocks: [(matrix: Matrix, scale: Float)]) -> Matrix {
    let rows = blocks.first?.matrix.rows ?? 0
    let result = Matrix(rows: rows, columns: blocks.reduce(0) { $0 + $1.matrix.columns })
    for row in 0..<rows {
      var target = result.pointer + row * result.columns
      for (matrix, scale) in blocks {
        for value in matrix.row(row) {
          target.pointee = scale * value
          target += 1
        }
      }
    }
    return result
  }
}
