import Files
internal import Foundation

/// What a data set's folder holds: the interactions and, in their order, the modalities.
///
/// A folder in MMRec's layout needs no description; `dataset.yaml` in the folder describes what
/// differs from it (see ``DatasetDescriptionFile``).
public struct DatasetDescription: Sendable, Equatable {
  public let folder: String
  public let name: String
  /// The `.inter` file, relative to the folder.
  public let interactionsFile: String
  /// In the order in which models number them.
  public let modalities: [ModalityDescription]
  /// The original ids of users and of items, relative to the folder (``IdentifierTable``); nil if
  /// the folder has none.
  public let usersFile: String?
  public let itemsFile: String?
  /// Feature files of the folder that belong to no modality, sorted.
  public let unusedFeatureFiles: [String]
  /// How the folder was made; empty if it does not say so.
  public let history: DatasetHistory

  /// Finds out what a folder holds.
  ///
  /// What is not given is found by convention: the interactions are in `<folder name>.inter`, or
  /// in the only `.inter` file; the name is that file's; the modalities are those of
  /// ``ModalityDescription/standard`` whose file is there; original ids are in `users.tsv` and
  /// `items.tsv`, or in MMRec's `u_id_mapping.csv` and `i_id_mapping.csv`.
  ///
  /// - Parameter modalities: replaces the folder's own list, if not nil.
  /// - Throws: ``DatasetError`` if the folder or the interactions cannot be found, or the
  ///   description is wrong.
  public static func read(
    folder: String, modalities: [ModalityDescription]? = nil
  ) throws(DatasetError) -> DatasetDescription {
    let files = try list(folder)
    let file = try DatasetDescriptionFile.read(folder: folder, files: files)
    if let modalities, let problem = ModalityDescription.problem(in: modalities) {
      throw DatasetError(.configuration, path: folder, "the run's configuration \(problem)")
    }
    let interactionsFile =
      if let named = file.interactions { named } else {
        try findInteractions(folder: folder, files: files)
      }
    let own =
      file.modalities
      ?? ModalityDescription.standard.filter { files.contains($0.file) }
      .map { $0.masked(ifThereIsOneOf: files) }
    let used = Set((own + (modalities ?? [])).map(\.file))
    let stem = (interactionsFile as NSString).lastPathComponent as NSString
    return DatasetDescription(
      folder: folder, name: (file.name ?? stem.deletingPathExtension).sanitized(),
      interactionsFile: interactionsFile,
      modalities: modalities.map { $0.map { $0.masked(asIn: own) } } ?? own,
      usersFile: file.users ?? IdentifierTable.Kind.users.files.first(where: files.contains),
      itemsFile: file.items ?? IdentifierTable.Kind.items.files.first(where: files.contains),
      unusedFeatureFiles: files.filter {
        $0.hasSuffix(ModalityDescription.fileSuffix) && !used.contains($0)
      },
      history: file.history)
  }

  /// Where a file of the data set is.
  public func path(of file: String) -> String { Self.path(of: file, in: folder) }

  package static func path(of file: String, in folder: String) -> String {
    file.hasPrefix("/") ? file : (folder as NSString).appendingPathComponent(file)
  }

  private static func list(_ folder: String) throws(DatasetError) -> [String] {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder) else {
      throw DatasetError(
        .notFound, path: folder, "there is no such folder; give the folder that holds NAME.inter")
    }
    guard isFolder.boolValue else {
      throw DatasetError(
        .unreadable, path: folder,
        "is a file; give the folder that holds NAME.inter, or make one from the file with: mrdib "
          + "data import FILE --out FOLDER")
    }
    do {
      return try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    } catch {
      throw DatasetError(
        .unreadable, path: folder, "cannot be listed: \(error.localizedDescription)")
    }
  }

  private static func findInteractions(
    folder: String, files: [String]
  ) throws(DatasetError) -> String {
    let candidates = files.filter { $0.hasSuffix(".inter") }
    let folderName = URL(fileURLWithPath: folder).standardizedFileURL.lastPathComponent
    if candidates.contains("\(folderName).inter") { return "\(folderName).inter" }
    guard let first = candidates.first else {
      throw DatasetError(
        .notFound, path: folder,
        "holds no .inter file; a data set is a folder with NAME.inter and one npy file per "
          + "modality; mrdib data import makes one from other files"
      )
    }
    guard candidates.count == 1 else {
      let listed = candidates.prefix(8).map { $0.sanitized() }.joined(separator: ", ")
      throw DatasetError(
        .configuration, path: folder,
        "holds \(candidates.count) .inter files (\(listed)); name the right one in dataset.yaml: "
          + "interactions: \(first.sanitized())")
    }
    return first
  }
}
