import Datasets
import Foundation

/// What a folder that is made from another one takes over from it.
extension SourceFolder {
  /// The name of the file of interactions.
  var interactionsFileName: String {
    (description.interactionsFile as NSString).lastPathComponent
  }

  /// Writes the description with one more step in the history.
  ///
  /// - Throws: ``DatasetError`` if the step cannot be added, or the file not be written.
  func writeDescription(
    _ step: DatasetHistory.Step, to folder: NewFolder
  ) throws(DatasetError) {
    var file = DatasetDescriptionFile()
    file.name = description.name
    file.interactions = interactionsFileName
    let modalities = features.compactMap { feature in
      feature.modality.map {
        ModalityDescription(
          name: $0.name, file: feature.fileName, mask: feature.maskFileName, fill: $0.fill)
      }
    }
    if !modalities.isEmpty { file.modalities = modalities }
    file.history = description.history
    try file.append(step)
    try file.write(to: folder.workPath)
  }
}
