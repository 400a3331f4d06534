import Datasets
import Files
import Foundation

/// Adds features to a data set's folder.
package enum FeatureAdder {
  /// Adds features to a folder as it is: all files are written under temporary names first, and the
  /// description is replaced last.
  ///
  /// - Parameters:
  ///   - replacesExisting: whether features of the same modality may be replaced.
  ///   - progress: receives what is read, and how much of it is done, 0 to 1; may throw to stop.
  /// - Returns: what became of each addition, in order.
  /// - Throws: ``DatasetError`` if the folder or a source cannot be used; then nothing has changed.
  package static func add(
    _ additions: [FeatureAddition], to folder: String, replacesExisting: Bool,
    progress: (String, Double) throws -> Void
  ) throws -> [FeatureReport] {
    let description = try DatasetDescription.read(folder: folder)
    var modalities = description.modalities
    for addition in additions {
      try check(addition, among: modalities, description, replacesExisting: replacesExisting)
    }
    let items = try ItemLookup(description)
    var results: [FeatureAlignment.Result] = []
    for addition in additions {
      let modality = ModalityDescription(name: addition.modality, isMasked: false)
      let result = try FeatureAlignment.run(
        addition, items: items, path: description.path(of: modality.file)
      ) { share in try progress(addition.modality, share) }
      results.append(result)
    }

    var file = try DatasetDescriptionFile.read(folder: folder)
    for (addition, result) in zip(additions, results) {
      let modality = ModalityDescription(
        name: addition.modality, isMasked: result.mask != nil,
        fill: result.mask == nil ? nil : addition.fill)
      if let index = modalities.firstIndex(where: { $0.name == modality.name }) {
        modalities[index] = modality
      } else {
        modalities.append(modality)
      }
      try file.append(step(addition, result.report))
    }
    if let problem = ModalityDescription.problem(in: modalities) {
      throw DatasetError(.configuration, path: folder, "with these features, it \(problem)")
    }
    file.modalities = modalities
    for result in results {
      try result.features.finish()
      let mask = ModalityDescription(name: result.report.modality, isMasked: true).mask
      let maskPath = description.path(of: mask ?? "")
      if let mask = result.mask { try mask.write(to: maskPath) } else { unlink(maskPath) }
    }
    try file.write(to: folder)
    return results.map(\.report)
  }

  /// Adds features to a copy of a folder.
  ///
  /// - Parameters:
  ///   - target: the folder to make.
  ///   - overwrites: whether a folder with files may be replaced.
  /// - Throws: as ``add(_:to:replacesExisting:progress:)``, or if the copy cannot be made.
  package static func add(
    _ additions: [FeatureAddition], toCopyOf folder: String, at target: String, overwrites: Bool,
    progress: (String, Double) throws -> Void
  ) throws -> [FeatureReport] {
    let original = try DatasetDescription.read(folder: folder)
    let copy = try NewFolder(path: target, replacesExisting: overwrites)
    do {
      for name in try PlainFile.names(in: folder, atMost: 10_000) where !name.hasPrefix(".") {
        try FileManager.default.copyItem(
          atPath: DatasetDescription.path(of: name, in: folder), toPath: copy.path(of: name))
      }
    } catch let problem as FileProblem {
      throw DatasetError(.unreadable, path: folder, "cannot be listed: \(problem.reason)")
    } catch {
      throw DatasetError(
        .unwritable, path: target, "cannot be copied to: \(error.localizedDescription)")
    }
    // What the name of the folder decided, the copy must say itself.
    var file = try DatasetDescriptionFile.read(folder: copy.workPath)
    file.interactions = original.interactionsFile
    try file.write(to: copy.workPath)
    let reports = try add(
      additions, to: copy.workPath, replacesExisting: overwrites, progress: progress)
    try copy.commit()
    return reports
  }

  private static func check(
    _ addition: FeatureAddition, among modalities: [ModalityDescription],
    _ description: DatasetDescription, replacesExisting: Bool
  ) throws(DatasetError) {
    let name = addition.modality
    guard ModalityDescription.isName(name) else {
      throw DatasetError(
        .configuration, path: description.folder,
        "cannot have a modality '\(name.sanitized(atMost: 32))': names are 1 to 32 letters, "
          + "digits, '_' or '-'")
    }
    let file = ModalityDescription(name: name, isMasked: false).file
    let isThere = FileKind.of(description.path(of: file)) != nil
    guard !isThere && !modalities.contains(where: { $0.name == name }) || replacesExisting else {
      throw DatasetError(
        .configuration, path: description.folder,
        "has features '\(name)' already; replace them with --overwrite, or give the new ones "
          + "another name")
    }
    let lists = isThere ? NeighbourLists.files(forFeatures: description.path(of: file)) : []
    if let list = lists.first {
      throw DatasetError(
        .inconsistent, path: list.path,
        "holds the nearest items by the features that would be replaced; remove it first")
    }
  }

  private static func step(
    _ addition: FeatureAddition, _ report: FeatureReport
  ) -> DatasetHistory.Step {
    var fields = [
      DatasetHistory.Field("modality", report.modality),
      DatasetHistory.Field("source", (addition.source as NSString).lastPathComponent),
    ]
    if let ids = addition.ids { fields.append(.init("ids", (ids as NSString).lastPathComponent)) }
    fields.append(.init("items", "\(report.presentCount) of \(report.itemCount)"))
    if report.presentCount < report.itemCount {
      fields.append(.init("fill", report.fill.rawValue))
    }
    return DatasetHistory.Step("features", fields: fields)
  }
}
