import Foundation
import Tensors

extension SyntheticData {
  package static let truthFile = "truth.json"
  static let latentsFile = "truth_latents.npy"

  /// Generates a data set into a folder, in MMRec's layout: `NAME.inter`, `image_feat.npy`,
  /// `text_feat.npy`, `dataset.yaml`; and the truth: `truth.json` and `truth_latents.npy`.
  ///
  /// - Parameter folder: is made if it is not there; a data set that was generated earlier is
  ///   replaced, anything else in it is an error.
  /// - Throws: ``DatasetError`` if the configuration is out of range or the folder is in use.
  public static func generate(
    _ configuration: SyntheticConfiguration, to folder: String
  ) throws(DatasetError) {
    try SyntheticData(configuration).write(to: folder)
  }

  /// The default data set, for training without data of one's own; generated at first use.
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

  /// Writes the files; `truth.json` comes last, so that it vouches for the others.
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
        throw DatasetError(.configuration, path: configuration.name, "has no manifest: \(error)")
      }
    }
  }

  /// Makes the folder, and makes sure that nothing but an earlier generated data set is in it.
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
