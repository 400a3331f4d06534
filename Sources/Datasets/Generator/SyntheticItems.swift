import Tensors

/// Some items of a generated data set: their latents, and what follows from them. The values of an
/// item do not depend on which others are made with it.
struct SyntheticItems {
  /// Items that are made at a time where not all are needed at once.
  private static let blockSize = 4096

  let latents: SyntheticLatents
  /// q, `[items, Q]`.
  let preferences: Matrix
  /// `[items, visualColumns]`.
  let visual: Matrix
  /// `[items, textColumns]`.
  let text: Matrix

  init(_ configuration: SyntheticConfiguration, items: Range<Int>) {
    latents = SyntheticLatents(configuration, items: items)
    preferences = latents.preferences(configuration)
    visual = Self.observe(
      [latents.shared, latents.uniqueVisual, latents.synergyVisual], of: items,
      noise: .visualObservation, columns: .visualNoise, configuration.visualNoiseDimensions,
      configuration)
    text = Self.observe(
      [latents.shared, latents.uniqueText, latents.synergyText], of: items,
      noise: .textObservation, columns: .textNoise, configuration.textNoiseDimensions,
      configuration)
  }

  /// Consecutive ranges that cover all items of a data set.
  static func blocks(of configuration: SyntheticConfiguration) -> some Sequence<Range<Int>> {
    stride(from: 0, to: configuration.items, by: blockSize).lazy.map {
      $0..<min(configuration.items, $0 + blockSize)
    }
  }

  /// Informative columns with observation noise, followed by columns of noise alone.
  private static func observe(
    _ latents: [Matrix], of items: Range<Int>, noise: SyntheticDraws.Purpose,
    columns: SyntheticDraws.Purpose, _ noiseColumns: Int, _ configuration: SyntheticConfiguration
  ) -> Matrix {
    let draws = SyntheticDraws(seed: configuration.seed)
    let signal = SyntheticLatents.concatenate(latents.map { ($0, 1) })
    let error = draws.normal(noise, rows: items, columns: signal.columns)
    for index in 0..<signal.count {
      signal.pointer[index] += configuration.observationNoise * error.pointer[index]
    }
    let features = SyntheticLatents.concatenate([
      (signal, 1),
      (draws.normal(columns, rows: items, columns: noiseColumns), configuration.noiseScale),
    ])
    if configuration.hasHalfFeatures {
      for index in 0..<features.count {
        features.pointer[index] = NPYElement.float(half: NPYElement.half(features.pointer[index]))
      }
    }
    return features
  }
}
