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

  /// Finds out what a folder holds.
  ///
  /// What is not given is found by convention: the interactions are in `<folder name>.inter`, or
  /// in the only `.inter` file; the name is that file's; the modalities are those of
  /// ``ModalityDescription/standard`` whose file is there.
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
    let stem = (interactionsFile as NSString).lastPathComponent as NSString
    return DatasetDescription(
      folder: folder, name: (file.name ?? stem.deletingPathExtension).sanitized(),
      interactionsFile: interactionsFile,
      modalities: modalities ?? file.modalities
        ?? ModalityDescription.standard.filter { files.contains($0.file) })
  }

  /// Where a file of the data set is.
  public func path(of file: String) -> String { Self.path(of: file, in: folder) }

  static func path(of file: String, in folder: String) -> String {
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
        .unreadable, path: folder, "is a file; give the folder that holds NAME.inter")
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
        "holds no .inter file; a data set is a folder with NAME.inter and one npy file per modality"
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

/// One kind of item features and the file that holds them.
public struct ModalityDescription: Sendable, Equatable, Codable {
  /// The name in tables, metrics and messages: letters, digits, `_` and `-`.
  public let name: String
  /// An npy file, relative to the data set's folder, one row per item.
  public let file: String

  public init(name: String, file: String) {
    self.name = name
    self.file = file
  }

  /// The two modalities of MMRec's layout, visual first.
  public static let standard = [
    ModalityDescription(name: "visual", file: "image_feat.npy"),
    ModalityDescription(name: "text", file: "text_feat.npy"),
  ]

  /// Bounds the number of tables that a data set can ask for.
  static let maximumCount = 16

  /// Why a list of modalities cannot be used, as the rest of a sentence; nil if it can.
  static func problem(in modalities: [ModalityDescription]) -> String? {
    if modalities.count > maximumCount {
      return "lists \(modalities.count) modalities; at most \(maximumCount) are supported"
    }
    for (index, modality) in modalities.enumerated() {
      if !isName(modality.name) {
        return
          "names a modality '\(modality.name.sanitized(atMost: 32))'; names are 1 to 32 letters, "
          + "digits, '_' or '-'"
      }
      if modality.file.isEmpty { return "names no file for the modality '\(modality.name)'" }
      if modalities[..<index].contains(where: { $0.name == modality.name }) {
        return "names the modality '\(modality.name)' twice"
      }
    }
    return nil
  }

  /// Whether a text can name a modality or a data set, and files and tables after it.
  static func isName(_ text: String) -> Bool {
    (1...32).contains(text.utf8.count)
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
          true
        default: false
        }
      }
  }
}
