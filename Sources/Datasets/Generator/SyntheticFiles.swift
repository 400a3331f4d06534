import Files
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
  /// In memory are the items' preferences, `[I, Q]`, and the user closest to each item; all else is
  /// made in blocks. Until all is complete, a folder `.draft` in it has what is made so far:
  /// a generation that was killed is continued by the next one of the same data set, and the bytes
  /// are those of an undisturbed one.
  ///
  /// - Parameters:
  ///   - folder: created if it is missing; an earlier generated data set in it is replaced, and
  ///     anything else in it is an error.
  ///   - report: called with what is being done and the share that is done, from 0 to 1. What it
  ///     throws ends the generation, and no file gets its name.
  /// - Throws: ``DatasetError`` if the configuration is out of range or the folder is in use.
  public static func generate(
    _ configuration: SyntheticConfiguration, to folder: String,
    report: (_ stage: String, _ share: Double) throws(DatasetError) -> Void = { _, _ in }
  ) throws(DatasetError) {
    try generate(
      configuration, to: folder, usersPerSave: SyntheticDraft.usersPerSave, report: report)
  }

  /// As ``generate(_:to:report:)``, with a number of users after which what is drawn is saved.
  package static func generate(
    _ configuration: SyntheticConfiguration, to folder: String, usersPerSave: Int,
    report: (_ stage: String, _ share: Double) throws(DatasetError) -> Void
  ) throws(DatasetError) {
    try configuration.validate()
    let isNew = try prepare(folder)
    do {
      try SyntheticFiles(
        configuration: configuration, folder: folder, usersPerSave: usersPerSave
      ).write(report)
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
      guard files.allSatisfy({ $0 == SyntheticFiles.draftFolder }) || files.contains(truthFile)
      else {
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
  /// In the data set's folder, until all is complete.
  static let draftFolder = ".draft"
  /// In the draft: a digest of what its files follow from.
  private static let sourceFile = "source"

  let configuration: SyntheticConfiguration
  let folder: String
  let usersPerSave: Int

  private var interactionsFile: String { "\(configuration.name).inter" }
  /// The files with a row per item, and their columns.
  private var itemFiles: [(name: String, columns: Int)] {
    let latentColumns = SyntheticTruth.latentColumns(configuration).values.map(\.end).max() ?? 0
    return [
      (ModalityDescription.standard[0].file, configuration.visualColumns),
      (ModalityDescription.standard[1].file, configuration.textColumns),
      (SyntheticData.latentsFile, latentColumns),
    ]
  }

  func write(
    _ report: (_ stage: String, _ share: Double) throws(DatasetError) -> Void
  ) throws(DatasetError) {
    try makeDraftFolder()
    let draft: SyntheticDraft
    do {
      draft = try SyntheticDraft(configuration, in: draftPath, usersPerSave: usersPerSave)
    } catch {
      // Another generation may be at work there.
      rmdir(draftPath)
      throw error
    }
    do {
      try write(draft, report)
      try removeDraft()
    } catch {
      if !draft.isSaved { try? removeDraft() }
      throw error
    }
  }

  private func write(
    _ draft: SyntheticDraft,
    _ report: (_ stage: String, _ share: Double) throws(DatasetError) -> Void
  ) throws(DatasetError) {
    let preferences = try writeItems(report)
    let choices = SyntheticChoices(
      configuration: configuration, items: preferences, continuing: draft.found)
    let lists = try draft.complete(choices) { share throws(DatasetError) in
      try report("generating interactions", share)
    }
    try writeInteractions(lists, report)
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
    for name in itemFiles.map(\.name) + [interactionsFile] {
      guard rename(draftPath(name), path(name)) == 0 else { throw SystemError.writing(path(name)) }
    }
    try AtomicFile.write(Array(description.utf8), to: path(DatasetDescriptionFile.fileName))
    try AtomicFile.write(try manifest(of: truth), to: path(SyntheticData.truthFile))
  }

  /// Writes the files with a row per item, unless the draft has them.
  ///
  /// - Returns: q, `[I, Q]`.
  private func writeItems(
    _ report: (_ stage: String, _ share: Double) throws(DatasetError) -> Void
  ) throws(DatasetError) -> Matrix {
    let files = itemFiles
    let isWritten = files.allSatisfy {
      FileManager.default.fileExists(atPath: draftPath($0.name))
    }
    var writers: [NPYWriter] = []
    if !isWritten {
      for (index, file) in files.enumerated() {
        writers.append(
          try NPYWriter.begin(
            path: draftPath(file.name), rows: configuration.items, columns: file.columns,
            isHalf: configuration.hasHalfFeatures && index < 2))
      }
    }
    let columns = SyntheticLatents.preferenceColumns(configuration)
    let preferences = Matrix(rows: configuration.items, columns: columns)
    for block in SyntheticItems.blocks(of: configuration) {
      try report("generating items", Double(block.lowerBound) / Double(configuration.items))
      let latents = SyntheticLatents(configuration, items: block)
      let ofBlock = latents.preferences(configuration)
      for row in block {
        _ = preferences.row(row).update(fromContentsOf: ofBlock.row(row - block.lowerBound))
      }
      guard !isWritten else { continue }
      let items = SyntheticItems(configuration, items: block)
      for (writer, matrix) in zip(writers, [items.visual, items.text, latents.all()]) {
        try writer.append(matrix.pointer, count: block.count)
        withExtendedLifetime(matrix) {}
      }
    }
    for writer in writers { try writer.finish() }
    return preferences
  }

  // MARK: The draft

  private var draftPath: String { path(Self.draftFolder) }

  private func draftPath(_ file: String) -> String {
    DatasetDescription.path(of: file, in: draftPath)
  }

  /// Makes the folder of the draft. One of another data set is replaced.
  private func makeDraftFolder() throws(DatasetError) {
    let source = Array(SyntheticDraft.source(configuration).utf8)
    let path = draftPath(Self.sourceFile)
    if let found = try? PlainFile.contents(of: path, atMost: source.count), found == source {
      return
    }
    try removeDraft()
    do {
      try FileManager.default.createDirectory(
        atPath: draftPath, withIntermediateDirectories: false)
    } catch {
      throw DatasetError(
        .unwritable, path: draftPath, "cannot be made: \(error.localizedDescription)")
    }
    try AtomicFile.write(source, to: path)
  }

  private func removeDraft() throws(DatasetError) {
    guard FileManager.default.fileExists(atPath: draftPath) else { return }
    do {
      try FileManager.default.removeItem(atPath: draftPath)
    } catch {
      throw DatasetError(
        .unwritable, path: draftPath, "cannot be removed: \(error.localizedDescription)")
    }
  }

  // MARK: Other files

  private func path(_ file: String) -> String { DatasetDescription.path(of: file, in: folder) }

  /// Writes the `.inter` file. Generated interactions have neither a rating nor a time: the columns
  /// hold 1 and 0.
  private func writeInteractions(
    _ lists: SyntheticLists,
    _ report: (_ stage: String, _ share: Double) throws(DatasetError) -> Void
  ) throws(DatasetError) {
    let writer = try InteractionFileWriter(
      path: draftPath(interactionsFile), columns: [.ratings, .times, .labels])
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
    try writer.finish()
  }

  private var description: String {
    var lines = ["name: \(configuration.name)", "interactions: \(interactionsFile)"]
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
