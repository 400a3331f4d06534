internal import Foundation
import Tensors

extension SyntheticData {
  package static let truthFile = "truth.json"
  static let latentsFile = "truth_latents.npy"

  /// Generates a data set into a folder, in MMRec's layout: `NAME.inter`, `image_feat.npy`,
  /// `text_feat.npy`, `dataset.yaml`; and the truth: `truth.json` and `truth_latents.npy`. Files
  /// get their names when all are complete, `truth.json` last: its presence means that the others
  /// are there.
  ///
  /// In memory are the items' preferences, `[I, Q]`, and the interactions, four bytes each;
  /// features and users are made in blocks.
  ///
  /// - Parameters:
  ///   - folder: created if it is missing; an earlier generated data set in it is replaced, and
  ///     anything else in it is an error.
  ///   - report: called with what is being done and the share that is done, from 0 to 1. What it
  ///     throws ends the generation, and nothing is written.
  /// - Throws: ``DatasetError`` if the configuration is out of range or the folder is in use.
  public static func generate(
    _ configuration: SyntheticConfiguration, to folder: String,
    report: (_ stage: String, _ share: Double) throws(DatasetError) -> Void = { _, _ in }
  ) throws(DatasetError) {
    try configuration.validate()
    let isNew = try prepare(folder)
    do {
      try SyntheticFiles(configuration, folder: folder).write(report)
    } catch {
      // Only if it is empty.
      if isNew { rmdir(folder) }
      throw error
    }
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

  /// Creates the folder; refuses one that holds anything but an earlier generated data set.
  ///
  /// - Returns: whether there was no such folder.
  private static func prepare(_ folder: String) throws(DatasetError) -> Bool {
    let manager = FileManager.default
    do {
      let isNew = !manager.fileExists(atPath: folder)
      try manager.createDirectory(atPath: folder, withIntermediateDirectories: true)
      let files = try manager.contentsOfDirectory(atPath: folder)
      guard files.isEmpty || files.contains(truthFile) else {
        throw DatasetError(
          .configuration, path: folder,
          "holds \(files.count) files that were not generated; choose an empty or a new folder")
      }
      return isNew
    } catch let error as DatasetError {
      throw error
    } catch {
      throw DatasetError(
        .unwritable, path: folder, "cannot be made or listed: \(error.localizedDescription)")
    }
  }
}

/// Writes the files of a generated data set.
private struct SyntheticFiles {
  let configuration: SyntheticConfiguration
  let folder: String

  init(_ configuration: SyntheticConfiguration, folder: String) {
    self.configuration = configuration
    self.folder = folder
  }

  func write(
    _ report: (_ stage: String, _ share: Double) throws(DatasetError) -> Void
  ) throws(DatasetError) {
    let modalities = ModalityDescription.standard
    let latentColumns = SyntheticTruth.latentColumns(configuration).values.map(\.end).max() ?? 0
    let visual = try features(modalities[0].file, columns: configuration.visualColumns)
    let text = try features(modalities[1].file, columns: configuration.textColumns)
    let latents = try features(SyntheticData.latentsFile, columns: latentColumns)
    let columns = SyntheticLatents.preferenceColumns(configuration)
    let preferences = Matrix(rows: configuration.items, columns: columns)
    for block in SyntheticItems.blocks(of: configuration) {
      try report("generating items", Double(block.lowerBound) / Double(configuration.items))
      let items = SyntheticItems(configuration, items: block)
      try visual.append(items.visual.pointer, count: block.count)
      try text.append(items.text.pointer, count: block.count)
      let all = items.latents.all()
      try latents.append(all.pointer, count: block.count)
      for row in block {
        _ = preferences.row(row).update(
          fromContentsOf: items.preferences.row(row - block.lowerBound))
      }
    }
    let lists = try SyntheticChoices(configuration: configuration, items: preferences).lists {
      share throws(DatasetError) in
      try report("generating interactions", share)
    }
    let interactions = try interactions(lists, report)
    let information: SyntheticInformation? =
      if configuration.planted == nil {
        nil
      } else {
        try SyntheticInformation(configuration, lists) { share throws(DatasetError) in
          try report("measuring the information", share)
        }
      }
    let truth = SyntheticTruth(
      configuration, interactionCount: lists.count, information: information)
    for writer in [visual, text, latents] { try writer.finish() }
    try interactions.finish()
    try AtomicFile.write(Array(description.utf8), to: path(DatasetDescriptionFile.fileName))
    try AtomicFile.write(try manifest(of: truth), to: path(SyntheticData.truthFile))
  }

  private func path(_ file: String) -> String { DatasetDescription.path(of: file, in: folder) }

  private func features(_ file: String, columns: Int) throws(DatasetError) -> NPYWriter {
    try NPYWriter.begin(path: path(file), rows: configuration.items, columns: columns)
  }

  /// The `.inter` file, not finished. Generated interactions have neither a rating nor a time: the
  /// columns hold 1 and 0.
  private func interactions(
    _ lists: SyntheticLists,
    _ report: (_ stage: String, _ share: Double) throws(DatasetError) -> Void
  ) throws(DatasetError) -> InteractionFileWriter {
    let writer = try InteractionFileWriter(
      path: path("\(configuration.name).inter"), columns: [.ratings, .times, .labels])
    try lists.forEach { user, items throws(DatasetError) in
      if user % 4096 == 0 {
        try report("writing interactions", Double(user) / Double(configuration.users))
      }
      let labels = SplitRule.labels(count: items.count, user: user, seed: configuration.seed)
      for (item, label) in zip(items, labels) {
        try writer.append(
          user: Int32(truncatingIfNeeded: user), item: item, rating: 1, time: 0, label: label)
      }
    }
    return writer
  }

  private var description: String {
    var lines = ["name: \(configuration.name)", "interactions: \(configuration.name).inter"]
    lines.append("modalities:")
    for modality in ModalityDescription.standard {
      lines += ["  - name: \(modality.name)", "    file: \(modality.file)"]
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func manifest(of truth: SyntheticTruth) throws(DatasetError) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    do {
      return try Array(encoder.encode(truth)) + [UInt8(ascii: "\n")]
    } catch {
      throw DatasetError(
        .configuration, path: configuration.name, "cannot be described in truth.json: \(error)")
    }
  }
}
