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
    return try write(
      additions, to: folder, description, replacesExisting: replacesExisting, progress: progress)
  }

  /// Writes features for the items of a described folder into it or into its copy.
  private static func write(
    _ additions: [FeatureAddition], to target: String, _ description: DatasetDescription,
    replacesExisting: Bool, progress: (String, Double) throws -> Void
  ) throws -> [FeatureReport] {
    for (index, addition) in additions.enumerated() {
      try check(addition, description, replacesExisting: replacesExisting)
      guard !additions[..<index].contains(where: { $0.modality == addition.modality }) else {
        throw DatasetError(
          .configuration, path: description.folder,
          "cannot get features '\(addition.modality)' twice; name each modality once")
      }
    }
    let items = try ItemLookup(description)
    var results: [FeatureAlignment.Result] = []
    for addition in additions {
      let modality = ModalityDescription(name: addition.modality, isMasked: false)
      let result = try FeatureAlignment.run(
        addition, items: items, path: DatasetDescription.path(of: modality.file, in: target)
      ) { share in try progress(addition.modality, share) }
      results.append(result)
    }

    var file = try DatasetDescriptionFile.read(folder: description.folder)
    // What the name of the folder decided, a copy must say itself.
    if target != description.folder { file.interactions = description.interactionsFile }
    var modalities = description.modalities
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
      throw DatasetError(
        .configuration, path: description.folder, "with these features, it \(problem)")
    }
    file.modalities = modalities
    for result in results {
      try result.features.finish()
      let mask = ModalityDescription(name: result.report.modality, isMasked: true).mask ?? ""
      let path = DatasetDescription.path(of: mask, in: target)
      if let mask = result.mask { try mask.write(to: path) } else { unlink(path) }
    }
    try file.write(to: target)
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
    let reports = try write(
      additions, to: copy.workPath, original, replacesExisting: overwrites, progress: progress)
    try copy.commit()
    return reports
  }

  private static func check(
    _ addition: FeatureAddition, _ description: DatasetDescription, replacesExisting: Bool
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
    let isListed = description.modalities.contains { $0.name == name }
    guard !isThere && !isListed || replacesExisting else {
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
