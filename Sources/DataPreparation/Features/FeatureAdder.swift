import Datasets
import Files
import Foundation

/// Adds features to a data set's folder.
package enum FeatureAdder {
  /// Adds features to a folder as it is.
  ///
  /// All features are written under temporary names first, and get their names when all are
  /// complete. Several files cannot be renamed as one, so their order decides what a power loss
  /// between two renames leaves: masks come first, which nothing reads alone; then features; then
  /// the description, and last of all masks that it no longer names are removed. So the old
  /// description never names a file that is not there. New features may stand under it for a
  /// moment: an unlisted file is named as not used, and replaced features are those of the new
  /// source with the old mask; the same command with `--overwrite` then completes the work.
  ///
  /// - Parameters:
  ///   - replacesExisting: whether features of the same modality may be replaced.
  ///   - report: called with the progress; may throw to stop.
  /// - Returns: what became of each addition, in order.
  /// - Throws: ``DatasetError`` if the folder or a source cannot be used; then nothing has changed.
  package static func add(
    _ additions: [FeatureAddition], to folder: String, replacesExisting: Bool,
    report: StageReport
  ) throws -> [FeatureReport] {
    let description = try DatasetDescription.read(folder: folder)
    return try write(
      additions, to: folder, description, replacesExisting: replacesExisting, report: report)
  }

  /// Adds features to a folder that has not got its name yet.
  ///
  /// - Throws: as ``add(_:to:replacesExisting:report:)``.
  static func add(
    _ additions: [FeatureAddition], toUnfinished folder: NewFolder, replacesExisting: Bool,
    report: StageReport
  ) throws -> [FeatureReport] {
    try write(
      additions, to: folder.workPath, try DatasetDescription.read(folder: folder.workPath),
      shownAs: folder.path, replacesExisting: replacesExisting, report: report)
  }

  /// Writes features for the items of a described folder into it or into its copy.
  ///
  /// - Parameter name: of the folder for messages; nil for its path.
  private static func write(
    _ additions: [FeatureAddition], to target: String, _ description: DatasetDescription,
    shownAs name: String? = nil, replacesExisting: Bool, report: StageReport
  ) throws -> [FeatureReport] {
    let name = name ?? description.folder
    for (index, addition) in additions.enumerated() {
      try check(addition, description, shownAs: name, replacesExisting: replacesExisting)
      guard !additions[..<index].contains(where: { $0.modality == addition.modality }) else {
        throw DatasetError(
          .configuration, path: name,
          "cannot get features '\(addition.modality)' twice; name each modality once")
      }
    }
    let items = try ItemLookup(description)
    var results: [FeatureAlignment.Result] = []
    for addition in additions {
      let modality = ModalityDescription(name: addition.modality, isMasked: false)
      let result = try FeatureAlignment.run(
        addition, items: items, path: DatasetDescription.path(of: modality.file, in: target)
      ) { share in try report("reading features '\(addition.modality)'", share) }
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
      throw DatasetError(.configuration, path: name, "with these features, it \(problem)")
    }
    file.modalities = modalities
    let maskPath = { (result: FeatureAlignment.Result) in
      let modality = ModalityDescription(name: result.report.modality, isMasked: true)
      return DatasetDescription.path(of: modality.mask ?? "", in: target)
    }
    for result in results { try result.mask?.write(to: maskPath(result)) }
    for result in results { try result.features.finish() }
    try file.write(to: target)
    for result in results where result.mask == nil { unlink(maskPath(result)) }
    return results.map(\.report)
  }

  /// Adds features to a copy of a folder.
  ///
  /// - Parameters:
  ///   - target: the folder to make.
  ///   - overwrites: whether a folder with files may be replaced.
  /// - Throws: as ``add(_:to:replacesExisting:report:)``, or if the copy cannot be made.
  package static func add(
    _ additions: [FeatureAddition], toCopyOf folder: String, at target: String, overwrites: Bool,
    report: StageReport
  ) throws -> [FeatureReport] {
    let original = try DatasetDescription.read(folder: folder)
    let sources = [folder] + additions.flatMap { [$0.source, $0.ids].compactMap { $0 } }
    let copy = try NewFolder(path: target, replacesExisting: overwrites, from: sources)
    try copyFiles(of: folder, to: copy, report: report)
    let reports = try write(
      additions, to: copy.workPath, original, replacesExisting: overwrites, report: report)
    try copy.commit()
    return reports
  }

  /// Copies what a folder has; folders in it as a whole.
  private static func copyFiles(
    of folder: String, to copy: NewFolder, report: StageReport
  ) throws {
    let names: [String]
    do {
      names = try PlainFile.names(in: folder, atMost: 10_000)
    } catch {
      throw DatasetError(.unreadable, path: folder, "cannot be listed: \(error.reason)")
    }
    for name in names where !name.hasPrefix(".") {
      let path = DatasetDescription.path(of: name, in: folder)
      switch FileKind.of(path) {
      case .plain:
        let file = try FileCopy(path, to: copy)
        while let share = try file.next() { try report("copying \(name)", share) }
      case .folder:
        try report("copying \(name)", nil)
        do {
          try FileManager.default.copyItem(atPath: path, toPath: copy.path(of: name))
        } catch {
          throw DatasetError(
            .unwritable, path: copy.path, "cannot be copied to: \(error.localizedDescription)")
        }
      default: continue
      }
    }
  }

  private static func check(
    _ addition: FeatureAddition, _ description: DatasetDescription, shownAs shownName: String,
    replacesExisting: Bool
  ) throws(DatasetError) {
    let name = addition.modality
    guard ModalityDescription.isName(name) else {
      throw DatasetError(
        .configuration, path: shownName,
        "cannot have a modality '\(name.sanitized(atMost: 32))': names are 1 to 32 letters, "
          + "digits, '_' or '-'")
    }
    let file = ModalityDescription(name: name, isMasked: false).file
    let isThere = FileKind.of(description.path(of: file)) != nil
    let isListed = description.modalities.contains { $0.name == name }
    guard !isThere && !isListed || replacesExisting else {
      throw DatasetError(
        .configuration, path: shownName,
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
