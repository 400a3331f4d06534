import Files

/// One kind of item features and the file that holds them.
public struct ModalityDescription: Sendable, Equatable, Codable {
  /// The name in tables, metrics and messages: letters, digits, `_` and `-`.
  public let name: String
  /// An npy file, relative to the data set's folder, one row per item.
  public let file: String
  /// An npy file of booleans, one per item: true if the item has this modality. Nil if all have.
  public let mask: String?
  /// What the rows of items without this modality were filled with; nil if it is not known.
  public let fill: FeatureFill?

  public init(name: String, file: String, mask: String? = nil, fill: FeatureFill? = nil) {
    self.name = name
    self.file = file
    self.mask = mask
    self.fill = fill
  }

  /// The two modalities of MMRec's layout, visual first.
  public static let standard = [
    ModalityDescription(name: "visual", file: "image_feat.npy"),
    ModalityDescription(name: "text", file: "text_feat.npy"),
  ]

  /// The end of the names of feature files, `NAME_feat.npy`.
  package static let fileSuffix = "_feat.npy"

  /// The modality of a name, in the files that are named after it.
  package init(name: String, isMasked: Bool, fill: FeatureFill? = nil) {
    self.init(
      name: name, file: "\(name)\(Self.fileSuffix)", mask: isMasked ? "\(name)_mask.npy" : nil,
      fill: fill)
  }

  /// With the mask of the same file's modality in a folder's own list, unless it has its own.
  func masked(asIn own: [ModalityDescription]) -> ModalityDescription {
    guard mask == nil, let listed = own.first(where: { $0.file == file }) else { return self }
    return ModalityDescription(name: name, file: file, mask: listed.mask, fill: listed.fill)
  }

  /// With the mask that lies next to the features by its name: `image_mask.npy` belongs to
  /// `image_feat.npy`.
  func masked(ifThereIsOneOf files: [String]) -> ModalityDescription {
    guard mask == nil, file.hasSuffix(Self.fileSuffix) else { return self }
    let beside = "\(file.dropLast(Self.fileSuffix.count))_mask.npy"
    guard files.contains(beside) else { return self }
    return ModalityDescription(name: name, file: file, mask: beside, fill: fill)
  }

  /// Bounds the number of tables that a data set can ask for.
  static let maximumCount = 16

  /// Why a list of modalities cannot be used, as the rest of a sentence; nil if it can.
  package static func problem(in modalities: [ModalityDescription]) -> String? {
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
      if modality.mask?.isEmpty == true {
        return "names no file for the mask of the modality '\(modality.name)'"
      }
      if modalities[..<index].contains(where: { $0.name == modality.name }) {
        return "names the modality '\(modality.name)' twice"
      }
    }
    return nil
  }

  /// Whether a text can name a modality or a data set, and files and tables after it.
  package static func isName(_ text: String) -> Bool {
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

/// What stands in the rows of items that lack a modality.
public enum FeatureFill: String, Sendable, Codable, CaseIterable {
  case zero
  /// The mean of the rows of all items that have the modality.
  case mean
}
