internal import Foundation
import Tensors

/// A data set with known contents: what the modalities share, what only one of them has, and what
/// only their combination determines, so that the findings of a model can be compared with the
/// truth.
///     preference of item i   q_i = concat(w_r r, w_uv u_v, w_ut u_t, w_s (s_v ⊙ s_t))
///     taste of user u        p_u ~ N(0, I)
///     interactions of u      without replacement ~ softmax over i of  sharpness · ⟨p_u, q_i⟩ / ‖w‖
///     visual features        [r, u_v, s_v] + observation noise, then noise columns
///     text features          [r, u_t, s_t] + observation noise, then noise columns
///
/// with ‖w‖² = Σ dimensions · weight², the variance of ⟨p_u, q_i⟩. Everything follows from the
/// configuration.
public struct SyntheticData: Sendable {
  public let configuration: SyntheticConfiguration
  public let latents: SyntheticLatents
  /// q, `[I, Q]`, Q = all latent dimensions, synergy counted once.
  public let itemPreferences: Matrix
  /// p, `[U, Q]`.
  public let userPreferences: Matrix
  /// `[I, visualColumns]`.
  public let visual: Matrix
  /// `[I, textColumns]`.
  public let text: Matrix
  /// By user; within a user by item.
  public let interactions: Interactions

  /// Generates a data set in memory.
  ///
  /// - Throws: ``DatasetError`` if the configuration is out of range.
  public init(_ configuration: SyntheticConfiguration) throws(DatasetError) {
    try configuration.validate()
    self.configuration = configuration
    let draws = SyntheticDraws(seed: configuration.seed)
    latents = SyntheticLatents(configuration)
    itemPreferences = latents.preferences(configuration)
    userPreferences = draws.normal(
      .user, rows: configuration.users, columns: itemPreferences.columns)
    visual = Self.observe(
      SyntheticLatents.concatenate(
        [latents.shared, latents.uniqueVisual, latents.synergyVisual].map { ($0, 1) }),
      noise: .visualObservation, columns: .visualNoise, configuration.visualNoiseDimensions,
      configuration)
    text = Self.observe(
      SyntheticLatents.concatenate(
        [latents.shared, latents.uniqueText, latents.synergyText].map { ($0, 1) }),
      noise: .textObservation, columns: .textNoise, configuration.textNoiseDimensions,
      configuration)
    interactions = SyntheticChoices(
      configuration, users: userPreferences, items: itemPreferences
    ).interactions()
  }

  /// The data set as training sees it.
  public func dataset() throws(DatasetError) -> Dataset {
    try Dataset(
      name: configuration.name, interactions: interactions,
      features: [
        FeatureMatrix(name: "visual", matrix: visual), FeatureMatrix(name: "text", matrix: text),
      ])
  }

  /// Informative columns with observation noise, followed by columns of noise alone.
  private static func observe(
    _ signal: Matrix, noise: SyntheticDraws.Purpose, columns: SyntheticDraws.Purpose,
    _ noiseColumns: Int, _ configuration: SyntheticConfiguration
  ) -> Matrix {
    let draws = SyntheticDraws(seed: configuration.seed)
    let error = draws.normal(noise, rows: signal.rows, columns: signal.columns)
    for index in 0..<signal.count {
      signal.pointer[index] += configuration.observationNoise * error.pointer[index]
    }
    return SyntheticLatents.concatenate([
      (signal, 1),
      (
        draws.normal(columns, rows: signal.rows, columns: noiseColumns), configuration.noiseScale
      ),
    ])
  }
}

extension SyntheticData {
  package static let truthFile = "truth.json"
  static let latentsFile = "truth_latents.npy"

  /// Generates a data set into a folder, in MMRec's layout: `NAME.inter`, `image_feat.npy`,
  /// `text_feat.npy`, `dataset.yaml`; and the truth: `truth.json` and `truth_latents.npy`.
  ///
  /// - Parameter folder: created if it is missing; an earlier generated data set in it is replaced,
  ///   and anything else in it is an error.
  /// - Throws: ``DatasetError`` if the configuration is out of range or the folder is in use.
  public static func generate(
    _ configuration: SyntheticConfiguration, to folder: String
  ) throws(DatasetError) {
    try SyntheticData(configuration).write(to: folder)
  }

  /// The default data set, for training without own data; generated at first use.
  ///
  /// - Parameter cacheFolder: where it is kept; one folder serves every run.
  /// - Returns: the data set's folder.
  public static func defaultFolder(in cacheFolder: String) throws(DatasetError) -> String {
    let configuration = SyntheticConfiguration()
    let folder = DatasetDescription.path(of: configuration.name, in: cacheFolder)
    if let truth = try? SyntheticTruth.read(folder: folder),
      truth.configuration == configuration,
      truth.generatorVersion == SyntheticTruth.currentGeneratorVersion
    {
      return folder
    }
    try generate(configuration, to: folder)
    return folder
  }

  /// Writes the files, `truth.json` last: its presence means that the others are complete.
  public func write(to folder: String) throws(DatasetError) {
    try Self.prepare(folder)
    let path = { (file: String) in DatasetDescription.path(of: file, in: folder) }
    let modalities = ModalityDescription.standard
    try AtomicFile.write(interactionText, to: path("\(configuration.name).inter"))
    try NPYWriter.write(visual, to: path(modalities[0].file))
    try NPYWriter.write(text, to: path(modalities[1].file))
    try NPYWriter.write(latents.all(), to: path(Self.latentsFile))
    var description = ["name: \(configuration.name)", "interactions: \(configuration.name).inter"]
    description.append("modalities:")
    for modality in modalities {
      description += ["  - name: \(modality.name)", "    file: \(modality.file)"]
    }
    let yaml = description.joined(separator: "\n") + "\n"
    try AtomicFile.write(Array(yaml.utf8), to: path(DatasetDescriptionFile.fileName))
    try AtomicFile.write(truthText, to: path(Self.truthFile))
  }

  /// The `.inter` file. Generated interactions have neither a rating nor a time.
  private var interactionText: [UInt8] {
    var text = Array("userID\titemID\trating\ttimestamp\tx_label\n".utf8)
    for row in 0..<interactions.count {
      let label = interactions.labels[row].rawValue
      text += "\(interactions.users[row])\t\(interactions.items[row])\t1\t0\t\(label)\n".utf8
    }
    return text
  }

  private var truthText: [UInt8] {
    get throws(DatasetError) {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      do {
        return try Array(encoder.encode(SyntheticTruth(self))) + [UInt8(ascii: "\n")]
      } catch {
        throw DatasetError(
          .configuration, path: configuration.name, "cannot be described in truth.json: \(error)")
      }
    }
  }

  /// Creates the folder; refuses one that holds anything but an earlier generated data set.
  private static func prepare(_ folder: String) throws(DatasetError) {
    let manager = FileManager.default
    do {
      try manager.createDirectory(atPath: folder, withIntermediateDirectories: true)
      let files = try manager.contentsOfDirectory(atPath: folder)
      guard files.isEmpty || files.contains(truthFile) else {
        throw DatasetError(
          .configuration, path: folder,
          "holds \(files.count) files that were not generated; choose an empty or a new folder")
      }
    } catch let error as DatasetError {
      throw error
    } catch {
      throw DatasetError(
        .unwritable, path: folder, "cannot be made or listed: \(error.localizedDescription)")
    }
  }
}
