import Files
internal import Foundation
import Tensors

/// What a generated data set holds, in numbers; written with it as `truth.json`.
public struct SyntheticTruth: Sendable, Equatable, Codable {
  /// One kind of information.
  public struct Component: Sendable, Equatable, Codable {
    public let dimensions: Int
    public let weight: Float
    /// Its share of the variance of users' preferences; all shares add up to 1.
    public let preferenceShare: Double
  }

  /// Raised when the same configuration gives other data.
  public static let currentGeneratorVersion = 1

  public let generatorVersion: Int
  public let configuration: SyntheticConfiguration
  public let shared: Component
  public let uniqueVisual: Component
  public let uniqueText: Component
  public let synergy: Component
  /// Which columns of `image_feat.npy` hold what.
  public let visualColumns: SyntheticLayout
  /// Which columns of `text_feat.npy` hold what.
  public let textColumns: SyntheticLayout
  /// Correlation ρ = 1 / (1 + σ²) between a shared column of one modality and its counterpart in
  /// the other, σ = observation noise. All other pairs of columns are independent.
  public let sharedCorrelation: Double
  /// I(visual; text) = −(shared dimensions)/2 · ln(1 − ρ²), in nats; exact.
  public let mutualInformationNats: Double
  /// ½ ln(1 + 1/σ²): information of a Gaussian column about its latent, in nats; exact.
  public let informationPerColumnNats: Double
  /// I(visual; s_v ⊙ s_t) = I(text; s_v ⊙ s_t), in nats: exactly 0.
  public let synergyFromOneModalityNats: Double
  /// (synergy dimensions) · ln 2: information of both modalities together about s_v ⊙ s_t, in nats,
  /// as the observation noise goes to 0.
  public let synergyFromBothNatsLimit: Double
  /// Columns of `truth_latents.npy`: `r`, `u_v`, `u_t`, `s_v`, `s_t`.
  public let latentColumns: [String: ColumnRange]
  public let interactionCount: Int
  /// What an ideal observer knows of the test interactions; nil unless the information was planted
  /// in nats.
  public let preferenceInformation: SyntheticInformation?

  init(
    _ configuration: SyntheticConfiguration, interactionCount: Int,
    information: SyntheticInformation?
  ) {
    let variance = Double(configuration.preferenceVariance)
    let component = { (planted: SyntheticConfiguration.Component) in
      Component(
        dimensions: planted.dimensions, weight: planted.weight,
        preferenceShare: Double(planted.variance) / variance)
    }
    generatorVersion = Self.currentGeneratorVersion
    self.configuration = configuration
    shared = component(configuration.shared)
    uniqueVisual = component(configuration.uniqueVisual)
    uniqueText = component(configuration.uniqueText)
    synergy = component(configuration.synergy)
    visualColumns = configuration.visualLayout
    textColumns = configuration.textLayout
    let noiseVariance =
      Double(configuration.observationNoise) * Double(configuration.observationNoise)
    sharedCorrelation = 1 / (1 + noiseVariance)
    mutualInformationNats =
      -Double(configuration.shared.dimensions) / 2 * log(1 - sharedCorrelation * sharedCorrelation)
    informationPerColumnNats = log(1 + 1 / noiseVariance) / 2
    synergyFromOneModalityNats = 0
    synergyFromBothNatsLimit = Double(configuration.synergy.dimensions) * log(2)
    latentColumns = Self.latentColumns(configuration)
    self.interactionCount = interactionCount
    preferenceInformation = information
  }

  /// Columns of `truth_latents.npy`, by latent.
  static func latentColumns(_ configuration: SyntheticConfiguration) -> [String: ColumnRange] {
    var start = 0
    var columns: [String: ColumnRange] = [:]
    for (name, component) in [
      ("r", configuration.shared), ("u_v", configuration.uniqueVisual),
      ("u_t", configuration.uniqueText), ("s_v", configuration.synergy),
      ("s_t", configuration.synergy),
    ] {
      columns[name] = ColumnRange(start: start, end: start + component.dimensions)
      start += component.dimensions
    }
    return columns
  }

  /// Reads the manifest of a generated data set.
  public static func read(folder: String) throws(DatasetError) -> SyntheticTruth {
    let path = DatasetDescription.path(of: SyntheticData.truthFile, in: folder)
    let file = try MappedFile(path: path)
    do {
      return try JSONDecoder().decode(SyntheticTruth.self, from: Data(file.bytes))
    } catch {
      throw DatasetError(
        .malformed, path: path,
        "is not the manifest of a generated data set: "
          + "\(error)".sanitized(atMost: 200))
    }
  }
}

extension SyntheticConfiguration.Component {
  /// dimensions · weight².
  var variance: Float { Float(dimensions) * weight * weight }
}

extension SyntheticConfiguration {
  /// ‖w‖² = Σ dimensions · weight²: the variance of ⟨p_u, q_i⟩.
  var preferenceVariance: Float {
    shared.variance + uniqueVisual.variance + uniqueText.variance + synergy.variance
  }
}
